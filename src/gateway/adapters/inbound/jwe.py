"""JSON Web Encryption (RFC 7516), by joserfc."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

_KEY_BYTES = 32
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = ("dir", "A256GCM", "DEF")
# Whatever joserfc raises over what is none of ours.
_NOT_OURS = (JoseError, ValueError, TypeError, KeyError, RecursionError)


class JweKey:
    """For one purpose, from a secret that serves several: HKDF (RFC 5869) makes a key of the right length."""

    def __init__(self, secret: str, purpose: str, *, compressed: bool) -> None:
        derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(secret.encode())
        self._key = OctKey.import_key(derived)
        self._header = {**_HEADER, "zip": "DEF"} if compressed else _HEADER

    def seal(self, text: bytes) -> str:
        return jwe.encrypt_compact(dict(self._header), text, self._key, algorithms=_ALGORITHMS)

    def open(self, sealed: str) -> bytes | None:
        """None for what this key has not sealed."""
        try:
            return jwe.decrypt_compact(sealed, self._key, algorithms=_ALGORITHMS).plaintext
        except _NOT_OURS:
            return None

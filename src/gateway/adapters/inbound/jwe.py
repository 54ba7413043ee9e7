"""JSON Web Encryption (RFC 7516) with the library joserfc."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

_KEY_BYTES = 32
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = ("dir", "A256GCM", "DEF")
# The errors that joserfc raises for a text that the shop has not sealed.
_NOT_OURS = (JoseError, ValueError, TypeError, KeyError, RecursionError)


class JweKey:
    """A key for one purpose, derived by HKDF (RFC 5869) from a secret that serves several purposes."""

    def __init__(self, secret: str, purpose: str, *, compressed: bool) -> None:
        derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(secret.encode())
        self._key = OctKey.import_key(derived)
        self._header = {**_HEADER, "zip": "DEF"} if compressed else _HEADER

    def seal(self, text: bytes) -> str:
        return jwe.encrypt_compact(dict(self._header), text, self._key, algorithms=_ALGORITHMS)

    def open(self, sealed: str) -> bytes | None:
        """Returns the decrypted text; None if `sealed` was not sealed with this key."""
        try:
            return jwe.decrypt_compact(sealed, self._key, algorithms=_ALGORITHMS).plaintext
        except _NOT_OURS:
            return None

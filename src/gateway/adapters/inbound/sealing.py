"""What browsers keep for us and cannot read: JSON Web Encryption (RFC 7516), by joserfc."""

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

T = TypeVar("T")

_KEY_BYTES = 32
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = ("dir", "A256GCM", "DEF")
# Whatever joserfc and msgspec raise over what is none of ours.
_NOT_OURS = (JoseError, msgspec.MsgspecError, ValueError, TypeError, KeyError, RecursionError)


class Sealing(Generic[T]):
    """Seals with the first of the secrets; opens what any of them has sealed, so that one can follow another.
    What was sealed for one purpose cannot be opened for another."""

    def __init__(
        self, kind: type[T], secrets: Sequence[str], *, purpose: str, compressed: bool = False
    ) -> None:
        """`compressed` tells by the length how much its parts have in common: not for what strangers may put
        something into."""
        self._keys = [_key(secret, purpose) for secret in secrets]
        self._header = {**_HEADER, "zip": "DEF"} if compressed else _HEADER
        self._decoder = msgspec.msgpack.Decoder(kind)

    def seal(self, content: T) -> str:
        text = msgspec.msgpack.encode(content)
        return jwe.encrypt_compact(dict(self._header), text, self._keys[0], algorithms=_ALGORITHMS)

    def open(self, sealed: str) -> T | None:
        """None for what we have not sealed, or with a key that is no longer ours."""
        for key in self._keys:
            try:
                opened = jwe.decrypt_compact(sealed, key, algorithms=_ALGORITHMS)
                return self._decoder.decode(opened.plaintext or b"")
            except _NOT_OURS:
                continue
        return None


def _key(secret: str, purpose: str) -> OctKey:
    """HKDF (RFC 5869): a key of the right length for each purpose, from one secret."""
    derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(secret.encode())
    return OctKey.import_key(derived)

"""Encrypts values that the browser stores but must not read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from gateway.adapters.inbound.jwe import JweKey

T = TypeVar("T")


class Sealing(Generic[T]):
    """Encrypts with the first secret and decrypts with any of the secrets, so that secrets can be rotated. A
    value that was sealed for one purpose cannot be opened for another."""

    def __init__(
        self, kind: type[T], secrets: Sequence[str], *, purpose: str, compressed: bool = False
    ) -> None:
        """`compressed` is unsafe for content that an attacker can influence: the length of the result tells
        how much the attacker's part has in common with the secret part."""
        self._keys = _keys(secrets, purpose, compressed=compressed) if secrets else []
        self._decoder = msgspec.msgpack.Decoder(kind)

    def seal(self, content: T) -> str:
        return self._keys[0].seal(msgspec.msgpack.encode(content))

    def open(self, sealed: str) -> T | None:
        """Returns the content. None if no present secret has sealed it, or if its type has changed since."""
        for key in self._keys:
            text = key.open(sealed)
            if text is not None:
                return self._decoded(text)
        return None

    def _decoded(self, text: bytes) -> T | None:
        try:
            return self._decoder.decode(text)
        except msgspec.MsgspecError:  # An earlier version of the shop sealed it.
            return None


def _keys(secrets: Sequence[str], purpose: str, *, compressed: bool) -> "list[JweKey]":
    # Imported late: open mode has no secrets, so it need not load this large library.
    from gateway.adapters.inbound.jwe import JweKey

    return [JweKey(secret, purpose, compressed=compressed) for secret in secrets]

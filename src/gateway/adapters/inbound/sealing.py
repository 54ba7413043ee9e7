"""Encrypts what browsers keep for us and may not read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from gateway.adapters.inbound.jwe import JweKey

T = TypeVar("T")


class Sealing(Generic[T]):
    """Seals with the first of the secrets, and opens what any of them has sealed: a secret can be rotated.
    What was sealed for one purpose cannot be opened for another."""

    def __init__(
        self, kind: type[T], secrets: Sequence[str], *, purpose: str, compressed: bool = False
    ) -> None:
        """`compressed` is not for content that strangers can influence: the length tells how much its parts
        have in common."""
        self._keys = _keys(secrets, purpose, compressed=compressed) if secrets else []
        self._decoder = msgspec.msgpack.Decoder(kind)

    def seal(self, content: T) -> str:
        return self._keys[0].seal(msgspec.msgpack.encode(content))

    def open(self, sealed: str) -> T | None:
        """None where the text was not sealed by us, or with a key that is no longer ours."""
        for key in self._keys:
            text = key.open(sealed)
            if text is not None:
                return self._decoded(text)
        return None

    def _decoded(self, text: bytes) -> T | None:
        try:
            return self._decoder.decode(text)
        except msgspec.MsgspecError:  # An earlier version sealed it.
            return None


def _keys(secrets: Sequence[str], purpose: str, *, compressed: bool) -> "list[JweKey]":
    # Open mode has no secrets, and does without the memory and the time that the library takes.
    from gateway.adapters.inbound.jwe import JweKey

    return [JweKey(secret, purpose, compressed=compressed) for secret in secrets]

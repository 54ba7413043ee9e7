"""What the layers around an application note of a call's answer."""

from collections.abc import Mapping
from typing import Any, cast

KEY = "shop.answer_start"


class AnswerStart:
    """One for each call. The layers share it, because a `send` of each layer's own would cost more than the
    layer."""

    __slots__ = ("at", "headers", "left", "status")

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        """Added to those of the answer."""
        self.status: int | None = None
        """None until the answer starts."""
        self.at = 0.0
        """When it started, by `time.perf_counter`."""
        self.left = False
        """Whether the client left before that."""


def answer_start(scope: Mapping[str, Any]) -> AnswerStart:
    """That of a call; where no layer shares one, a new one that nobody else sees."""
    return cast(AnswerStart, scope.get(KEY) or AnswerStart())

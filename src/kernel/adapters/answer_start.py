"""Notes about a call's answer that the middleware layers share."""

from collections.abc import Mapping
from typing import Any, cast

KEY = "shop.answer_start"


class AnswerStart:
    """One for each call. The layers share it, because wrapping `send` once per layer would cost more than the
    layers themselves."""

    __slots__ = ("at", "client_left", "headers", "status")

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        """Added to the headers of the answer."""
        self.status: int | None = None
        """None until the answer starts."""
        self.at = 0.0
        """When the answer started, by `time.perf_counter`."""
        self.client_left = False
        """Whether the client left before the answer started."""


def answer_start(scope: Mapping[str, Any]) -> AnswerStart:
    """The call's AnswerStart. If no layer has put one into the scope, a new one that nobody else sees."""
    return cast(AnswerStart, scope.get(KEY) or AnswerStart())

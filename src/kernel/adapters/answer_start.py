"""Data about the answer of a call, which the middleware layers share."""

from collections.abc import Mapping
from typing import Any, cast

KEY = "shop.answer_start"


class AnswerStart:
    """The start of one call's answer. The middleware layers share this object, because wrapping `send` once
    per layer would cost more than the layers themselves."""

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
    """The AnswerStart in the scope of a call, or a new one, not stored there, if the scope has none."""
    return cast(AnswerStart, scope.get(KEY) or AnswerStart())

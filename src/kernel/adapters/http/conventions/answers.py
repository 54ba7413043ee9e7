"""Answers of routes: JSON from the contracts' encoder, or bytes that are sent unchanged."""

from typing import Any, TypeVar

from litestar import Response
from litestar.types import Serializer

from kernel.contracts.values import encode
from kernel.ports.http_answer import HttpAnswer

T = TypeVar("T")


class JsonAnswer(Response[T]):
    """A JSON answer. The contracts' encoder writes amounts with two decimals; bytes are sent unchanged."""

    def render(self, content: Any, media_type: str, enc_hook: Serializer | None = None) -> bytes:
        return content if isinstance(content, bytes) else encode(content)


def passed_on(answer: HttpAnswer) -> JsonAnswer[bytes]:
    return JsonAnswer(
        answer.body, status_code=answer.status, media_type=answer.media_type, headers=dict(answer.headers)
    )

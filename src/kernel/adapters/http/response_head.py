"""The head of an answer, and the answers that the server gives by itself."""

import http
from collections.abc import Iterable

from kernel.adapters.http.problem import refused_answer
from kernel.adapters.http.request_head import Headers, Refused
from kernel.ports.answer import Answer

Fields = Iterable[tuple[bytes, bytes]]


def write_lines(fields: Fields) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in fields])


def fields_of(answer: Answer) -> Headers:
    headers = {
        "content-type": answer.media_type, "content-length": str(len(answer.body)), **answer.headers,
    }  # fmt: skip
    return [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]


def refusal(refused: Refused, common_lines: bytes) -> bytes:
    """The whole answer, after which the connection ends."""
    answer = refused_answer(refused.status, refused.code, refused.detail)
    lines = write_lines([*fields_of(answer), (b"connection", b"close")])
    return b"".join([STATUS_LINES[answer.status], common_lines, lines, b"\r\n", answer.body])


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


STATUS_LINES = {status: f"HTTP/1.1 {status} {_phrase(status)}\r\n".encode() for status in range(200, 600)}

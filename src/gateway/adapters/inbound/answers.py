"""What the routes of the gateway answer with."""

from typing import Any

from litestar import Request

from gateway.ports.answer import Answer
from kernel.adapters.http import trace
from kernel.adapters.http.app import JsonAnswer

# The services behind a read, and behind a call that changes something.
READ_PROBLEMS = ((503, "unavailable"),)
WRITE_PROBLEMS = (
    *READ_PROBLEMS,
    (503, "overloaded"),
    (503, "database_unavailable"),
    (504, "outcome_unknown"),
)
BODY_PROBLEMS = ((400, "invalid_request"), (413, "body_too_large"), (415, "unsupported_media_type"))


def passed_on(answer: Answer) -> JsonAnswer[bytes]:
    return JsonAnswer(
        answer.body, status_code=answer.status, media_type=answer.media_type, headers=dict(answer.headers)
    )


def trace_of(request: Request[Any, Any, Any]) -> str:
    return trace.traceparent(request.headers.get("traceparent"))

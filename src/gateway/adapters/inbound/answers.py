"""What the routes of the gateway answer with."""

from typing import Any

from litestar import Request

from gateway.ports.answer import Answer
from kernel.adapters import trace_context
from kernel.adapters.http.app import JsonAnswer


def passed_on(answer: Answer) -> JsonAnswer[bytes]:
    return JsonAnswer(
        answer.body, status_code=answer.status, media_type=answer.media_type, headers=dict(answer.headers)
    )


def trace_of(request: Request[Any, Any, Any]) -> str:
    return trace_context.traceparent(request.headers.get("traceparent"))

"""What the routes of the gateway answer with."""

from typing import Any

from litestar import Request

from gateway import wire
from gateway.domain.orders import Fate, Placed, Rejected
from kernel.adapters import trace_context
from kernel.adapters.http.idempotency import replay_headers
from kernel.adapters.http.problem import MEDIA_TYPE, error_answer
from kernel.ports.answer import Answer


def answer_of(fate: Fate | Exception) -> Answer:
    """What `POST /orders` answers with."""
    match fate:
        case Placed():
            headers = {"Location": f"{wire.ORDERS}/{fate.order_id}"} | replay_headers(replayed=fate.replayed)
            return Answer(201, "application/json", headers, fate.order)
        case Rejected():
            retry = {"Retry-After": "1"} if fate.status == 503 else {}
            return Answer(fate.status, MEDIA_TYPE, retry, fate.problem)
        case Exception():
            return error_answer(fate, wire.ORDERS)


def trace_of(request: Request[Any, Any, Any]) -> str:
    return trace_context.traceparent(request.headers.get("traceparent"))

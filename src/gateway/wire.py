"""Between the gateway's own words and the bodies of the HTTP routes."""

from uuid import UUID

import msgspec

from gateway.domain.orders import Fate, Placed, PlaceOrder, Rejected
from gateway.domain.routes import at_the_gateway
from kernel.contracts import http
from kernel.contracts.values import decoder, encode


class Outcome(http.Answer, frozen=True):
    """An http.BatchOutcome whose order is passed on unread."""

    status: int
    order: msgspec.Raw = msgspec.Raw()
    replayed: bool = False
    problem: http.Problem | None = None


class PlacedItem(http.Answer, frozen=True):
    status: int
    order: msgspec.Raw
    replayed: bool


class RefusedItem(http.Answer, frozen=True):
    status: int
    problem: msgspec.Raw


class _Identified(http.Answer, frozen=True):
    id: UUID


def place_order(order: http.PlaceOrder, key: str | None, new_id: UUID, traceparent: str) -> PlaceOrder:
    """An order without a client's key gets one of the gateway's own, so that it may be sent again."""
    own_key = key is None
    item = http.PlaceOrderItem(
        order.user_id, order.amount, order.description, str(new_id) if own_key else key
    )
    return PlaceOrder(body=encode(item), own_key=own_key, traceparent=traceparent)


def fate(order: PlaceOrder, outcome: Outcome) -> Fate:
    if outcome.problem is not None:
        return Rejected(outcome.status, encode(at_own_route(outcome.problem)))
    body = bytes(outcome.order)
    return order.placed(decoder(_Identified).decode(body).id, body, replayed=outcome.replayed)


def item(fate: Fate) -> PlacedItem | RefusedItem:
    match fate:
        case Placed():
            return PlacedItem(201, msgspec.Raw(fate.order), fate.replayed)
        case Rejected():
            return RefusedItem(fate.status, msgspec.Raw(fate.problem))


def at_own_route(problem: http.Problem) -> http.Problem:
    return msgspec.structs.replace(problem, instance=at_the_gateway(problem.instance))

"""Between the gateway's own words and the bodies and routes of HTTP."""

import re
from uuid import UUID

import msgspec

from gateway.domain.orders import Fate, Placed, PlaceOrder, Rejected
from kernel.contracts import http
from kernel.contracts.values import decoder, encode

ACCOUNTS = "/accounts"
ORDERS = "/orders"

_AT_THE_GATEWAY = {"/api/Accounts": ACCOUNTS, "/api/Order": ORDERS}
_ROUTE = re.compile(r"(?P<start>^|<)(?P<route>/api/(?:Accounts|Order))(?=[/?#>]|$)")
_ABSENT = msgspec.Raw()


class Outcome(http.Answer, frozen=True, omit_defaults=True):
    """An http.BatchOutcome on its way through, unread: both kinds in one, because msgspec cannot decode their
    union."""

    status: int
    order: msgspec.Raw = _ABSENT
    replayed: bool | None = None
    problem: msgspec.Raw = _ABSENT


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
    if outcome.problem is not _ABSENT:
        return Rejected(outcome.status, at_own_route(outcome.problem))
    order_id = decoder(_Identified).decode(outcome.order).id
    return order.placed(order_id, bytes(outcome.order), replayed=bool(outcome.replayed))


def outcome(fate: Fate) -> Outcome:
    match fate:
        case Placed():
            return Outcome(201, order=msgspec.Raw(fate.order), replayed=fate.replayed)
        case Rejected():
            return Outcome(fate.status, problem=msgspec.Raw(fate.problem))


def at_own_route(problem: bytes | msgspec.Raw) -> bytes:
    """The JSON of a service's problem, told of the gateway's route."""
    told = decoder(http.Problem).decode(problem)
    return encode(msgspec.structs.replace(told, instance=at_the_gateway(told.instance)))


def at_the_gateway(references: str) -> str:
    """The path of a Location or an instance, or the targets of a Link, with the services' routes replaced."""
    return _ROUTE.sub(lambda found: found["start"] + _AT_THE_GATEWAY[found["route"]], references)

"""Between the gateway's own words and the bodies and routes of HTTP."""

import re
from typing import Annotated
from uuid import UUID

import msgspec

from gateway.domain.orders import Change, Fate, Placed, PlaceOrder, Rejected
from kernel.application.envelopes import ENVELOPE_EVENTS_MAX
from kernel.contracts import catalog, http
from kernel.contracts.values import decoder, encode

ACCOUNTS = "/accounts"
ORDERS = "/orders"
STATUS_CHANGES = catalog.ORDER_STATUS_CHANGED

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


class _Order(http.Answer, frozen=True):
    id: UUID
    status: str


class _Change(http.Answer, frozen=True):
    """An http.OrderChange, or what matters in an OrderStatusChangedV1; the order is passed on as it came."""

    sequence: int
    order: msgspec.Raw


class _Event(http.Answer, frozen=True):
    data: _Change


_Events = Annotated[list[_Event], msgspec.Meta(max_length=ENVELOPE_EVENTS_MAX)]


def place_order(
    order: http.PlaceOrder, key: str | None, new_id: UUID, traceparent: str, request_id: str
) -> PlaceOrder:
    """An order without a client's key gets one of the gateway's own, so that it may be sent again."""
    own_key = key is None
    item = http.PlaceOrderItem(
        order.user_id, order.amount, order.description, str(new_id) if own_key else key
    )
    return PlaceOrder(body=encode(item), own_key=own_key, traceparent=traceparent, request_id=request_id)


def fate(order: PlaceOrder, outcome: Outcome) -> Fate:
    if outcome.problem is not _ABSENT:
        return Rejected(outcome.status, at_own_route(outcome.problem))
    placed = decoder(_Order).decode(outcome.order)
    return order.placed(placed.id, placed.status, bytes(outcome.order), replayed=bool(outcome.replayed))


def outcome(fate: Fate) -> Outcome:
    match fate:
        case Placed():
            return Outcome(201, order=msgspec.Raw(fate.order), replayed=fate.replayed)
        case Rejected():
            return Outcome(fate.status, problem=msgspec.Raw(fate.problem))


def lives(changes: bytes) -> list[list[Change]]:
    """Of several orders, as the orders service tells their changes."""
    return [[_change(item) for item in life] for life in decoder(list[list[_Change]]).decode(changes)]


def notified(body: bytes) -> list[Change]:
    """The changes that a message tells of, a batch or a single event.

    Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError where it is no such message, or one of
    more events than a message may hold.
    """
    events = decoder(_Events).decode(body if body.lstrip()[:1] == b"[" else b"[" + body + b"]")
    return [_change(event.data) for event in events]


def _change(data: _Change) -> Change:
    order = decoder(_Order).decode(data.order)
    return Change(order.id, data.sequence, order.status, bytes(data.order))


def at_own_route(problem: bytes | msgspec.Raw) -> bytes:
    """The JSON of a service's problem, told of the gateway's route."""
    told = decoder(http.Problem).decode(problem)
    return encode(msgspec.structs.replace(told, instance=at_the_gateway(told.instance)))


def at_the_gateway(references: str) -> str:
    """The path of a Location or an instance, or the targets of a Link, with the services' routes replaced."""
    return _ROUTE.sub(lambda found: found["start"] + _AT_THE_GATEWAY[found["route"]], references)

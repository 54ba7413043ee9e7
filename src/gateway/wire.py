"""Translates between the gateway's domain and the JSON bodies, messages and routes of the services."""

import re
from typing import Annotated
from uuid import UUID

import msgspec

from gateway.domain.orders import Change, Outcome, Placed, PlacementRequest, Rejected
from gateway.ports.operators import Listed
from kernel.application.envelopes import ENVELOPE_EVENTS_MAX
from kernel.contracts.consumers import Consumer, consumer_state
from kernel.contracts.http import Problem, ResponseBody
from kernel.contracts.operators import RecordedAct
from kernel.contracts.values import decoder, encode, same_fields
from kernel.domain.acts import Act
from kernel.domain.caller import Caller
from kernel.domain.pauses import ConsumerState
from orders.contract import http
from orders.contract import operations as orders_operations
from orders.contract.messages import ORDER_STATUS_CHANGED
from payments.contract import operations as payments_operations

ACCOUNTS = "/accounts"
ORDERS = "/orders"
STATUS_CHANGES = ORDER_STATUS_CHANGED

_AT_THE_GATEWAY = {payments_operations.ROUTE: ACCOUNTS, orders_operations.ROUTE: ORDERS}
_ROUTE = re.compile(rf"(?P<start>^|<)(?P<route>{'|'.join(_AT_THE_GATEWAY)})(?=[/?#>]|$)")
_ABSENT = msgspec.Raw()


class RawBatchOutcome(ResponseBody, frozen=True, omit_defaults=True):
    """An http.BatchOutcome whose order or problem is passed on undecoded. One class has the fields of both
    kinds, because msgspec cannot decode their union."""

    status: int
    order: msgspec.Raw = _ABSENT
    replayed: bool | None = None
    problem: msgspec.Raw = _ABSENT


class _Order(ResponseBody, frozen=True):
    id: UUID
    status: str


class _ChangedOrder(_Order, frozen=True):
    user_id: str


class _Change(ResponseBody, frozen=True):
    """An http.OrderChange, or the same fields of an OrderStatusChangedV1. The order stays JSON."""

    sequence: int
    order: msgspec.Raw


class _Event(ResponseBody, frozen=True):
    data: _Change


_Events = Annotated[list[_Event], msgspec.Meta(max_length=ENVELOPE_EVENTS_MAX)]


def place_order(
    order: http.PlaceOrder, caller: Caller, key: str | None, new_id: UUID, traceparent: str, request_id: str
) -> PlacementRequest:
    """Makes the request. Without a client's key it gets a key of the gateway, so that it may be repeated."""
    own_key = key is None
    item = http.PlaceOrderItem(
        order.user_id, order.amount, order.description, order.pay_by, str(new_id) if own_key else key
    )
    return PlacementRequest(
        caller=caller,
        user_id=order.user_id,
        body=encode(item),
        own_key=own_key,
        traceparent=traceparent,
        request_id=request_id,
    )


def outcome_of(order: PlacementRequest, outcome: RawBatchOutcome) -> Outcome:
    if outcome.problem is not _ABSENT:
        return Rejected(outcome.status, at_own_route(outcome.problem))
    placed = decoder(_Order).decode(outcome.order)
    return order.placed(placed.id, placed.status, bytes(outcome.order), replayed=bool(outcome.replayed))


def batch_outcome(outcome: Outcome) -> RawBatchOutcome:
    match outcome:
        case Placed():
            return RawBatchOutcome(201, order=msgspec.Raw(outcome.order), replayed=outcome.replayed)
        case Rejected():
            return RawBatchOutcome(outcome.status, problem=msgspec.Raw(outcome.problem))


def status_histories(changes: bytes) -> list[list[Change] | None]:
    """The changes of several orders, from JSON; None for an order that the orders service cannot read now."""
    found = decoder(list[list[_Change] | None]).decode(changes)
    return [None if one is None else [_change(item) for item in one] for one in found]


def notified(body: bytes) -> list[Change]:
    """The changes in a notification, which is a batch or a single event.

    Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError when it is neither, or has more events
    than a message may hold.
    """
    events = decoder(_Events).decode(body if body.lstrip()[:1] == b"[" else b"[" + body + b"]")
    return [_change(event.data) for event in events]


def acts(body: bytes) -> list[Act]:
    """The acts of operators, from a service's JSON."""
    return [same_fields(act, Act) for act in decoder(list[RecordedAct]).decode(body)]


def consumers(body: bytes) -> list[ConsumerState]:
    """The states of consumers, from a service's JSON."""
    return [consumer_state(one) for one in decoder(list[Consumer]).decode(body)]


class _Identified(msgspec.Struct):
    id: UUID


def listed(body: bytes) -> list[Listed]:
    """The items of a service's JSON list, each with its id."""
    return [
        Listed(decoder(_Identified).decode(one).id, bytes(one))
        for one in decoder(list[msgspec.Raw]).decode(body)
    ]


def _change(data: _Change) -> Change:
    order = decoder(_ChangedOrder).decode(data.order)
    return Change(order.id, order.user_id, data.sequence, order.status, bytes(data.order))


def words_of(problem: bytes) -> str:
    """A colon and the detail of a service's problem; empty for another body, such as a proxy's page."""
    try:
        return f": {decoder(Problem).decode(problem).detail}"
    except msgspec.DecodeError:
        return ""


def at_own_route(problem: bytes | msgspec.Raw) -> bytes:
    """The JSON of a service's problem, with the gateway's route as its instance."""
    decoded = decoder(Problem).decode(problem)
    return encode(msgspec.structs.replace(decoded, instance=at_the_gateway(decoded.instance)))


def at_the_gateway(references: str) -> str:
    """A Location, a Link or the instance of a problem, with the gateway's routes instead of the services'."""
    return _ROUTE.sub(lambda found: found["start"] + _AT_THE_GATEWAY[found["route"]], references)

"""An order and its rules: a user places it, payments decides it, and the user may cancel it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from kernel.domain.errors import Conflict, NotFound
from kernel.domain.events import OrderEvent, trace_of
from kernel.domain.value import value
from orders.domain.commands import CancelOrder, Identity, Placement
from orders.domain.events import (
    CancellationRequested,
    OrderPlaced,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentRequest,
    PaymentResult,
    PaymentVoided,
)
from orders.domain.status import Status, StatusChanged

ASK_AGAIN_FIRST = timedelta(seconds=5)
ASK_AGAIN_MAX = timedelta(seconds=300)

PAID_HISTORY = (Status.NEW, Status.FINISHED, Status.REFUNDING, Status.REFUNDED)
# The sequence number of each status in an order's history.
SEQUENCE = {status: place for place, status in enumerate(PAID_HISTORY, 1)} | {Status.CANCELLED: 2}

CANCELLED_BY_USER = "cancelled_by_user"


@dataclass(slots=True, kw_only=True)
class Order:
    """`amount` is in minor units. Payments declines an order that it handles after `pay_by`. `pay_by_given`
    is the `pay_by` that the client sent; None if `pay_by` is the shop's default. `trace_id` is the trace of
    the call that placed the order."""

    id: UUID
    user_id: str
    amount: int
    currency: str
    description: str
    status: Status
    reason: str | None = None
    idempotency_key: str | None
    cancel_requested_at: datetime | None = None
    ask_again_at: datetime | None
    created_at: datetime
    updated_at: datetime
    pay_by: datetime | None = None
    pay_by_given: datetime | None = None
    trace_id: UUID | None = None

    @property
    def identity(self) -> Identity:
        return self.id if self.idempotency_key is None else (self.user_id, self.idempotency_key)

    @classmethod
    def place(
        cls, command: Placement, currency: str, now: datetime, pay_within: timedelta | None = None
    ) -> Self:
        by_default = None if pay_within is None else now + pay_within
        return cls(
            id=command.order_id,
            user_id=command.user_id,
            amount=command.amount,
            currency=currency,
            description=command.description,
            status=Status.NEW,
            idempotency_key=command.idempotency_key,
            ask_again_at=now + ASK_AGAIN_FIRST,
            created_at=now,
            updated_at=now,
            pay_by=command.pay_by or by_default,
            pay_by_given=command.pay_by,
            trace_id=trace_of(command.traceparent),
        )

    def placed(self, traceparent: str, request_id: str = "") -> OrderPlaced:
        about = self._event_fields(traceparent, request_id)
        return OrderPlaced(**about, amount=self.amount, currency=self.currency, pay_by=self.pay_by)

    def settle(self, decided: PaymentResult, now: datetime) -> list[StatusChanged]:
        """Applies a decision, and returns the changes. A repeated or late decision changes nothing. If an
        earlier decision has not arrived yet, its changes are made too."""
        match decided:
            case PaymentCaptured():
                paid = Status.REFUNDING if self.cancel_requested_at else Status.FINISHED
                return self._advance(paid, now)
            case PaymentRefunded():
                return self._advance(Status.REFUNDED, now)
            case PaymentDeclined(reason=reason):
                return self._set_cancelled(reason, now)
            case PaymentVoided():
                return self._set_cancelled(CANCELLED_BY_USER, now)

    def cancel(self, traceparent: str, now: datetime, request_id: str = "") -> "Cancelled | Conflict":
        """Requests the cancellation. A NEW order stays NEW until payments tells whether it was paid first."""
        if self.status is Status.CANCELLED:
            return Conflict("order_cancelled", f"the order {self.id} is cancelled already")
        if self.status is Status.REFUNDED:
            return Conflict("order_refunded", f"the order {self.id} is refunded already")
        if self.cancel_requested_at is not None:
            return Cancelled(order=self)
        self.cancel_requested_at = now
        self.ask_again_at = now + ASK_AGAIN_FIRST
        changes = self._advance(Status.REFUNDING, now) if self.status is Status.FINISHED else []
        notifications = self.notifications(changes, traceparent, request_id)
        events = [self._cancellation_requested(traceparent, request_id)]
        return Cancelled(order=self, changes=changes, events=events, notifications=notifications)

    def ask_again(self, traceparent: str, now: datetime) -> PaymentRequest:
        """Returns the request to send again. The waits between requests double from 5 s to 300 s."""
        since = self.cancel_requested_at or self.created_at
        self.ask_again_at = now + min(ASK_AGAIN_MAX, now - since + ASK_AGAIN_FIRST)
        # The cancellation is enough: payments answers it with a final result, even if it never got the order.
        ask = self._cancellation_requested if self.cancel_requested_at else self.placed
        return ask(traceparent)

    def status_changed(self) -> StatusChanged:
        """The newest row of the order's history."""
        return StatusChanged(
            user_id=self.user_id,
            order_id=self.id,
            sequence=SEQUENCE[self.status],
            status=self.status,
            reason=self.reason,
            at=self.updated_at,
        )

    def notifications(
        self, changes: Sequence[StatusChanged], traceparent: str, request_id: str = ""
    ) -> "list[OrderStatusChanged]":
        about = self._event_fields(traceparent, request_id)
        return [OrderStatusChanged(**about, order=self, change=change) for change in changes]

    def _cancellation_requested(self, traceparent: str, request_id: str = "") -> CancellationRequested:
        return CancellationRequested(**self._event_fields(traceparent, request_id))

    def _event_fields(self, traceparent: str, request_id: str) -> dict[str, Any]:
        """The fields that all events of this order have in common."""
        return {
            "order_id": self.id,
            "user_id": self.user_id,
            "traceparent": traceparent,
            "request_id": request_id,
            "idempotency_key": self.idempotency_key or "",
        }

    def _advance(self, status: Status, now: datetime) -> list[StatusChanged]:
        """Moves a paid order on to this status. Each status on the way is a separate change."""
        if self.status is Status.CANCELLED:
            return []
        reached = SEQUENCE[self.status]
        return [self._set_status(step, None, now) for step in PAID_HISTORY[reached : SEQUENCE[status]]]

    def _set_cancelled(self, reason: str, now: datetime) -> list[StatusChanged]:
        return [self._set_status(Status.CANCELLED, reason, now)] if self.status is Status.NEW else []

    def _set_status(self, status: Status, reason: str | None, now: datetime) -> StatusChanged:
        self.status, self.reason, self.updated_at = status, reason, now
        self.ask_again_at = now + ASK_AGAIN_FIRST if status is Status.REFUNDING else None
        return self.status_changed()


@value(kw_only=True)
class OrderStatusChanged(OrderEvent):
    """A notification of one change. `order` may have later changes too."""

    order: Order
    change: StatusChanged


@value
class Placed:
    """The outcome of an accepted Placement. `replayed`: an earlier call with this key placed the order."""

    order: Order
    replayed: bool


@value(kw_only=True)
class Cancelled:
    """The outcome of an accepted CancelOrder. If the command is a repeat, only `order` is set."""

    order: Order
    changes: Sequence[StatusChanged] = ()
    events: Sequence[PaymentRequest] = ()
    notifications: Sequence[OrderStatusChanged] = ()


def find_order(orders: Mapping[UUID, Order], item: PaymentResult | CancelOrder) -> Order | NotFound:
    """The order that the item names. NotFound if it does not exist or belongs to another user."""
    order = orders.get(item.order_id)
    if order is None or order.user_id != item.user_id:
        return NotFound("order_not_found", f"there is no order {item.order_id} of this user")
    return order

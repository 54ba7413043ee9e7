"""The columns of an order that the statements read, and the translation of a row into an Order."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import and_, select

from kernel.adapters.postgres.statements.unnest import unnest
from orders.adapters.outbound.tables import ORDER_HISTORY, ORDERS
from orders.domain.order import Order
from orders.domain.status import Status

COLUMNS = tuple(ORDERS.c)
KEYS = (ORDERS.c.user_id, ORDERS.c.id)
_given = unnest(*KEYS)
BY_KEYS = select(*COLUMNS).join_from(
    ORDERS, _given, and_(ORDERS.c.user_id == _given.c.user_id, ORDERS.c.id == _given.c.id)
)
CHANGES = tuple(ORDER_HISTORY.c)


def order_of(row: Iterable[Any]) -> Order:
    """Makes an Order of a row of `COLUMNS`. Written out, because reads spend most of their time here."""
    (
        user, id, amount, currency, text, status, reason, key, cancelled, ask_at, made, changed,
        by, given, trace,
    ) = row  # fmt: skip
    return Order(
        id=id,
        user_id=user,
        amount=amount,
        currency=currency,
        description=text,
        status=_STATUSES[status],
        reason=reason,
        idempotency_key=key,
        cancel_requested_at=cancelled,
        ask_again_at=ask_at,
        created_at=made,
        updated_at=changed,
        pay_by=by,
        pay_by_given=given,
        trace_id=trace,
    )


_STATUSES = {status.value: status for status in Status}

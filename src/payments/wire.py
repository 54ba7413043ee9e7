"""Between the domain of payments and what is published: HTTP bodies and messages."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from kernel.adapters.cloudevents import decode_events, encode_event
from kernel.contracts import catalog, http
from kernel.contracts.orders import OrderPlacedV1
from kernel.contracts.payments import PaymentCapturedV1, PaymentDeclinedV1
from kernel.contracts.values import Amount, UserId
from kernel.domain.events import Received, Unhandled
from kernel.domain.money import in_units
from payments.domain.account import (
    Account,
    Deposit,
    Deposited,
    OrderPlaced,
    PaymentCaptured,
    PaymentDecided,
    PaymentDeclined,
    Transfer,
)

SOURCE = "/shop/payments"


def deposit(user_id: UserId, amount: Amount, key: str | None, transfer_id: UUID) -> Deposit:
    return Deposit(transfer_id=transfer_id, user_id=user_id, amount=amount.minor, idempotency_key=key)


def account_body(account: Account) -> http.Account:
    return http.Account(account.user_id, in_units(account.balance), account.currency, account.created_at)


def deposited_body(deposited: Deposited) -> http.Deposited:
    account, transfer = deposited.account, deposited.transfer
    return http.Deposited(
        account.user_id,
        in_units(transfer.balance_after),
        account.currency,
        account.created_at,
        transfer.id,
    )


def transaction_body(transfer: Transfer) -> http.Transaction:
    return http.Transaction(
        id=transfer.id,
        sequence=transfer.sequence,
        kind=transfer.kind.value,
        amount=in_units(transfer.change),
        balance_after=in_units(transfer.balance_after),
        order_id=transfer.order_id,
        created_at=transfer.created_at,
    )


def encode(event: PaymentDecided, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    event_type, data = _published(event)
    return event_type, encode_event(event, event_id, at, source=SOURCE, type=event_type, data=data)


def _published(event: PaymentDecided) -> tuple[str, msgspec.Struct]:
    user_id = UserId(event.user_id)
    match event:
        case PaymentCaptured():
            return catalog.PAYMENT_CAPTURED, PaymentCapturedV1(event.order_id, user_id, event.transfer_id)
        case PaymentDeclined():
            return catalog.PAYMENT_DECLINED, PaymentDeclinedV1(event.order_id, user_id, event.reason)


def _order_placed(data: OrderPlacedV1, traceparent: str) -> OrderPlaced:
    return OrderPlaced(
        order_id=data.order_id,
        user_id=data.user_id,
        traceparent=traceparent,
        amount=data.amount.minor,
        currency=data.currency,
    )


FACTS: Mapping[str, Callable[[Any, str], OrderPlaced]] = {catalog.ORDER_PLACED: _order_placed}


def decode(body: bytes) -> Sequence[Received[OrderPlaced] | Unhandled]:
    return decode_events(body, FACTS)

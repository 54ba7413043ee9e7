"""Translates between the domain of payments and what is published: HTTP bodies and messages."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from kernel.adapters.cloudevents import Decoders, Origin, decode_events, encode_event
from kernel.contracts.values import Amount, UserId
from kernel.domain.caller import Caller
from kernel.domain.events import Received, Unhandled
from kernel.domain.money import in_units
from orders.contract.messages import (
    ORDER_CANCELLATION_REQUESTED,
    ORDER_PLACED,
    OrderCancellationRequestedV1,
    OrderPlacedV1,
)
from payments.contract import http
from payments.contract.messages import (
    PAYMENT_CAPTURED,
    PAYMENT_DECLINED,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
    PaymentCapturedV1,
    PaymentDeclinedV1,
    PaymentRefundedV1,
    PaymentVoidedV1,
)
from payments.domain.account import Account, Deposited
from payments.domain.claims import KnownPayment
from payments.domain.commands import CorrectAccount, Deposit, FreezeAccount, OpenAccount
from payments.domain.events import (
    CancellationRequested,
    OrderPlaced,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentRequest,
    PaymentResult,
    PaymentVoided,
)
from payments.domain.transfer import Transfer

SOURCE = "/shop/payments"


def open_account(body: http.OpenAccount, caller: Caller, key: str | None, account_id: UUID) -> OpenAccount:
    return OpenAccount(
        account_id=account_id,
        caller=caller,
        user_id=body.user_id,
        idempotency_key=caller.scoped(key, body.user_id),
    )


def deposit(user_id: UserId, amount: Amount, caller: Caller, key: str | None, transfer_id: UUID) -> Deposit:
    return Deposit(
        transfer_id=transfer_id,
        caller=caller,
        user_id=user_id,
        amount=amount.minor,
        idempotency_key=caller.scoped(key, user_id),
    )


def freeze(user_id: UserId, note: str, caller: Caller, command_id: UUID, *, frozen: bool) -> FreezeAccount:
    return FreezeAccount(
        command_id=command_id, caller=caller.as_operator(), user_id=user_id, note=note, frozen=frozen
    )


def correct(
    user_id: UserId, body: http.Correction, caller: Caller, key: str, transfer_id: UUID
) -> CorrectAccount:
    operator = caller.as_operator()
    return CorrectAccount(
        transfer_id=transfer_id,
        caller=operator,
        user_id=user_id,
        amount=body.amount.minor,
        note=body.note,
        idempotency_key=operator.key_of_correction(key),
    )


def account_body(account: Account) -> http.Account:
    balance = in_units(account.balance)
    return http.Account(
        account.user_id, balance, account.currency, account.created_at, frozen=account.is_frozen
    )


def deposited_body(deposited: Deposited) -> http.Deposited:
    account, transfer = deposited.account, deposited.transfer
    return http.Deposited(
        account.user_id, in_units(transfer.balance_after), account.currency, account.created_at, transfer.id
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


def known_payment(one: KnownPayment) -> http.KnownPayment:
    return http.KnownPayment(
        user_id=one.user_id,
        order_id=one.order_id,
        known=one.is_known,
        waiting=one.waiting,
        decision=one.decision,
        reason=one.reason,
        created_at=one.created_at,
        amount=one.amount,
        currency=one.currency if one.is_known else None,
        refunded_at=one.refunded_at,
    )


def encode(event: PaymentResult, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    event_type, data = _published(event)
    return event_type, encode_event(event, event_id, at, source=SOURCE, type=event_type, data=data)


def _published(event: PaymentResult) -> tuple[str, msgspec.Struct]:
    order_id, user_id = event.order_id, UserId(event.user_id)
    match event:
        case PaymentCaptured():
            return PAYMENT_CAPTURED, PaymentCapturedV1(order_id, user_id, event.transfer_id)
        case PaymentDeclined():
            return PAYMENT_DECLINED, PaymentDeclinedV1(order_id, user_id, event.reason)
        case PaymentRefunded():
            return PAYMENT_REFUNDED, PaymentRefundedV1(order_id, user_id)
        case PaymentVoided():
            return PAYMENT_VOIDED, PaymentVoidedV1(order_id, user_id)


def _order_placed(data: OrderPlacedV1, origin: Origin) -> OrderPlaced:
    return OrderPlaced(
        order_id=data.order_id,
        user_id=data.user_id,
        amount=data.amount.minor,
        currency=data.currency,
        pay_by=data.pay_by,
        **origin,
    )


def _cancellation_requested(data: OrderCancellationRequestedV1, origin: Origin) -> CancellationRequested:
    return CancellationRequested(order_id=data.order_id, user_id=data.user_id, **origin)


DECODERS: Decoders[PaymentRequest] = {
    ORDER_PLACED: (OrderPlacedV1, _order_placed),
    ORDER_CANCELLATION_REQUESTED: (OrderCancellationRequestedV1, _cancellation_requested),
}


def decode(body: bytes) -> Sequence[Received[PaymentRequest] | Unhandled]:
    return decode_events(body, DECODERS)

"""Translates between the domain of payments and the published HTTP bodies and messages."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from kernel.adapters.cloudevents import Decoders, Origin, decode_events, encode_event
from kernel.contracts.values import Amount, UserId, same_fields
from kernel.domain.caller import Caller
from kernel.domain.events import Received, Unhandled
from kernel.domain.money import in_units
from orders.contract import messages as of_orders
from payments.contract import http, messages
from payments.domain import events
from payments.domain.account import Account, Deposited
from payments.domain.claims import KnownPayment
from payments.domain.commands import CorrectAccount, Deposit, FreezeAccount, OpenAccount
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
    """Omits the currency if payments does not know the order, because it is the account's currency."""
    body = same_fields(one, http.KnownPayment)
    return body if one.known else msgspec.structs.replace(body, currency=None)


def encode(event: events.PaymentResult, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    event_type, data = _published(event)
    return event_type, encode_event(event, event_id, at, source=SOURCE, type=event_type, data=data)


def _published(event: events.PaymentResult) -> tuple[str, msgspec.Struct]:
    order_id, user_id = event.order_id, UserId(event.user_id)
    match event:
        case events.PaymentCaptured():
            return messages.PAYMENT_CAPTURED, messages.PaymentCapturedV1(order_id, user_id, event.transfer_id)
        case events.PaymentDeclined():
            return messages.PAYMENT_DECLINED, messages.PaymentDeclinedV1(order_id, user_id, event.reason)
        case events.PaymentRefunded():
            return messages.PAYMENT_REFUNDED, messages.PaymentRefundedV1(order_id, user_id)
        case events.PaymentVoided():
            return messages.PAYMENT_VOIDED, messages.PaymentVoidedV1(order_id, user_id)


def _order_placed(data: of_orders.OrderPlacedV1, origin: Origin) -> events.OrderPlaced:
    return events.OrderPlaced(
        order_id=data.order_id,
        user_id=data.user_id,
        amount=data.amount.minor,
        currency=data.currency,
        pay_by=data.pay_by,
        **origin,
    )


def _cancellation_requested(
    data: of_orders.OrderCancellationRequestedV1, origin: Origin
) -> events.CancellationRequested:
    return events.CancellationRequested(order_id=data.order_id, user_id=data.user_id, **origin)


DECODERS: Decoders[events.PaymentRequest] = {
    of_orders.ORDER_PLACED: (of_orders.OrderPlacedV1, _order_placed),
    of_orders.ORDER_CANCELLATION_REQUESTED: (of_orders.OrderCancellationRequestedV1, _cancellation_requested),
}


def decode(body: bytes) -> Sequence[Received[events.PaymentRequest] | Unhandled]:
    return decode_events(body, DECODERS)

"""Checks the promises about what operators do for customers."""

import asyncio
from collections import Counter

from payments.domain.account import Reason
from payments.domain.transfer import Kind
from tests.memory.operator_record import OPERATOR_RECORD
from tests.memory.orders import ORDERS
from tests.memory.payments import ACCOUNTS, PAYMENTS, TRANSFERS
from tests.simulation.promises import Broken, Promise, Shop


def at_every_step(shop: Shop, where: str) -> list[Broken]:
    if where == "payments":
        return [frozen(shop), of_payments(shop)]
    return [of_orders(shop)] if where == "orders" else []


def frozen(shop: Shop) -> Broken:
    """The frozen accounts, each since when; what was decided meanwhile was decided under its lock."""
    database, freezes = shop.databases["payments"], shop.freezes
    spent = Counter(t.user_id for t in database.rows(TRANSFERS) if t.kind in (Kind.CAPTURE, Kind.DEPOSIT))
    accounts = {account.user_id: account for account in database.rows(ACCOUNTS)}
    for user_id, account in accounts.items():
        if account.is_frozen and spent[user_id] != freezes.spent.setdefault(user_id, spent[user_id]):
            yield Promise.FROZEN, f"{user_id} paid or deposited since {account.frozen_at}"
        elif not account.is_frozen and freezes.spent.pop(user_id, None) is not None:
            freezes.thawed_at[user_id] = asyncio.get_running_loop().time()
    for payment in database.rows(PAYMENTS):
        if payment.reason == Reason.ACCOUNT_FROZEN and payment.order_id not in freezes.decided:
            freezes.decided.add(payment.order_id)
            if not accounts[payment.user_id].is_frozen:
                yield Promise.FROZEN, f"{payment.order_id} was declined, {payment.user_id} is not frozen"


def of_payments(shop: Shop) -> Broken:
    database = shop.databases["payments"]
    acts = database.rows(OPERATOR_RECORD)
    did = Counter((act.user_id, act.did) for act in acts)
    for account in database.rows(ACCOUNTS):
        who = account.user_id
        if did[who, "freeze_account"] - did[who, "unfreeze_account"] != account.is_frozen:
            yield Promise.RECORDED, f"{who} is frozen since {account.frozen_at}: {did}"
    recorded = {act.subject for act in acts if act.did == "correct_account"}
    booked = {transfer.id for transfer in database.rows(TRANSFERS) if transfer.kind is Kind.CORRECTION}
    if recorded != booked:
        yield Promise.RECORDED, f"corrections {booked}, in the record {recorded}"


def of_orders(shop: Shop) -> Broken:
    """Checks that a cancellation is in the operators' record if and only if no user requested it first."""
    database = shop.databases["orders"]
    recorded = {act.subject for act in database.rows(OPERATOR_RECORD)}
    cancelled = {order.id for order in database.rows(ORDERS) if order.cancel_requested_at is not None}
    by_users = {intent.key for intent in shop.intents if intent.kind == "cancel" and not intent.note}
    for order_id in recorded ^ cancelled:
        if order_id in recorded or str(order_id) not in by_users:
            yield Promise.RECORDED, f"the cancellation of {order_id}"


def asked_once(shop: Shop) -> Broken:
    """Nobody else has the note of an operator's wish."""
    databases = shop.databases.values()
    acts = Counter(act.note for database in databases for act in database.rows(OPERATOR_RECORD))
    noted = [intent for intent in shop.intents if intent.note]
    for note, count in acts.items():
        if count > 1 or note not in {intent.note for intent in noted}:
            yield Promise.ONCE, f"{note} is {count} acts"
    for intent in noted:
        if intent.kind == "correct" and acts[intent.note] != len(intent.ids):
            yield Promise.KEPT, f"{intent.note} of {intent.amount}: {acts[intent.note]} acts"

"""Checks the promises on all committed data, at every step and at rest."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from kernel.adapters.lanes.lane import LaneFinder
from orders.domain.order import CANCELLED_BY_USER, Order
from orders.domain.status import Status
from payments.domain.account import Reason
from payments.domain.payment import Decision
from payments.domain.transfer import CORRECTIONS, FUNDING, REVENUE, Kind
from tests.memory.orders import ORDER_HISTORY, ORDERS
from tests.memory.outbox import OUTBOX
from tests.memory.parked import PARKED
from tests.memory.payments import ACCOUNTS, PAYMENTS, TRANSFERS
from tests.simulation import acts_of_operators as acts
from tests.simulation.promises import Broken, Promise, Shop


def at_every_step(shop: Shop, where: str) -> list[str]:
    found = [not_forgotten(shop), in_their_lanes(shop)]
    if where == "payments":
        found += [balances(shop), payments(shop), refunds(shop), agreed(shop)]
    if where == "orders":
        found += [histories(shop), agreed(shop), once(shop)]
    if shop.has_operators:
        found += acts.at_every_step(shop, where)
    return [f"{promise}: {detail}" for promise, detail in chain(*found)]


def at_rest(shop: Shop) -> list[str]:
    checks = (
        *(balances, payments, refunds, histories, agreed, once),
        *(not_forgotten, settled, cancelled, parked, refusals),
        *(acts.of_payments, acts.of_orders, acts.asked_once),
    )
    return [f"{promise}: {detail}" for check in checks for promise, detail in check(shop)]


def in_their_lanes(shop: Shop) -> Broken:
    for lanes in shop.lanes.values():
        finder = LaneFinder(len(lanes))
        for number, database in enumerate(lanes if len(lanes) > 1 else ()):
            for table in (ORDERS, ORDER_HISTORY, ACCOUNTS, TRANSFERS, PAYMENTS):
                for row in database.rows(table):
                    if finder.of_user(row.user_id) != number:
                        yield Promise.IN_ITS_LANE, f"lane {number} has {row}"


def balances(shop: Shop) -> Broken:
    transfers = defaultdict(list)
    books: Counter[str] = Counter()
    for transfer in shop.databases["payments"].rows(TRANSFERS):
        transfers[transfer.user_id].append(transfer)
        books[transfer.debit_account] -= transfer.amount
        books[transfer.credit_account] += transfer.amount
    accounts = shop.databases["payments"].rows(ACCOUNTS)
    for account in accounts:
        own = sorted(transfers[account.user_id], key=lambda transfer: transfer.sequence)
        who = f"{account.user_id} has {account.balance}"
        if account.balance != books[f"user:{account.user_id}"]:
            yield Promise.BALANCE, f"{who}, the transfers say {books[f'user:{account.user_id}']}"
        if own and own[-1].balance_after != account.balance:
            yield Promise.BALANCE, f"{who}, the last transfer says {own[-1].balance_after}"
        if [transfer.sequence for transfer in own] != list(range(1, account.sequence + 1)):
            yield Promise.NUMBERED, f"{who}: {[transfer.sequence for transfer in own]}"
        if account.balance < 0 or any(transfer.balance_after < 0 for transfer in own):
            yield Promise.NOT_NEGATIVE, who
    if sum(account.balance for account in accounts) + books[REVENUE] != -books[FUNDING] - books[CORRECTIONS]:
        yield Promise.CONSERVED, f"{books}"


def payments(shop: Shop) -> Broken:
    database = shop.databases["payments"]
    orders = {order.id: order for order in shop.databases["orders"].rows(ORDERS)}
    captures = [transfer for transfer in database.rows(TRANSFERS) if transfer.kind is Kind.CAPTURE]
    for order_id, count in Counter(capture.order_id for capture in captures).items():
        if count > 1:
            yield Promise.CAPTURED_ONCE, f"{order_id} was paid {count} times"
    for capture in captures:
        order = orders.get(capture.order_id) if capture.order_id else None
        if order is None or (order.user_id, order.amount) != (capture.user_id, capture.amount):
            yield Promise.CAPTURED_RIGHT, f"{capture}"
    for payment in database.rows(PAYMENTS):
        if payment.decision is not Decision.VOIDED and payment.order_id in orders:
            pay_by = orders[payment.order_id].pay_by
            late = pay_by is not None and payment.created_at > pay_by
            if late != (payment.reason == Reason.EXPIRED):
                yield Promise.IN_TIME, f"{payment}, to be paid by {pay_by}"
    recorded = {p.transfer_id for p in database.rows(PAYMENTS) if p.decision is Decision.CAPTURED}
    if recorded != {capture.id for capture in captures}:
        yield Promise.DECIDED, f"{recorded} were recorded"


def refunds(shop: Shop) -> Broken:
    database = shop.databases["payments"]
    orders = {order.id: order for order in shop.databases["orders"].rows(ORDERS)}
    booked = database.rows(TRANSFERS)
    paid = {(t.user_id, t.order_id, t.amount) for t in booked if t.kind is Kind.CAPTURE}
    refunded = [transfer for transfer in booked if transfer.kind is Kind.REFUND]
    for order_id, count in Counter(refund.order_id for refund in refunded).items():
        if count > 1:
            yield Promise.REFUNDED_ONCE, f"{order_id} was refunded {count} times"
    for refund in refunded:
        if (refund.user_id, refund.order_id, refund.amount) not in paid:
            yield Promise.REFUNDED_RIGHT, f"{refund}"
    voided = [p.order_id for p in database.rows(PAYMENTS) if p.decision is Decision.VOIDED]
    for order_id in [*voided, *(refund.order_id for refund in refunded if refund.order_id)]:
        if order_id not in orders or orders[order_id].cancel_requested_at is None:
            yield Promise.ASKED_FOR, f"{order_id}"


_PAID = [Status.NEW, Status.FINISHED, Status.REFUNDING, Status.REFUNDED]
STATUS_HISTORIES = {
    Status.CANCELLED: [Status.NEW, Status.CANCELLED],
    **{status: _PAID[:length] for length, status in enumerate(_PAID, 1)},
}


def histories(shop: Shop) -> Broken:
    status_histories: defaultdict[Any, list[Any]] = defaultdict(list)
    for change in shop.databases["orders"].rows(ORDER_HISTORY):
        status_histories[change.order_id].append(change)
    for order in shop.databases["orders"].rows(ORDERS):
        history = sorted(status_histories.pop(order.id, []), key=lambda change: change.sequence)
        wanted = STATUS_HISTORIES[order.status]
        numbered = [change.sequence for change in history] == list(range(1, len(history) + 1))
        if [change.status for change in history] != wanted or not numbered:
            yield Promise.HISTORY, f"{order.id} is {order.status} after {[c.status.value for c in history]}"
    if status_histories:
        yield Promise.HISTORY, f"there are no orders {list(status_histories)}"


def agreed(shop: Shop) -> Broken:
    database = shop.databases["payments"]
    decisions = {p.order_id: (p.decision.value, p.reason) for p in database.rows(PAYMENTS)}
    refunded = {t.order_id for t in database.rows(TRANSFERS) if t.kind is Kind.REFUND}
    decisions |= {order_id: ("refunded", None) for order_id in refunded if order_id}
    captured, given_back = ("captured", None), ("refunded", None)
    for order in shop.databases["orders"].rows(ORDERS):
        by_user = order.reason == CANCELLED_BY_USER
        wanted = {
            Status.FINISHED: [captured],
            Status.REFUNDING: [captured, given_back],
            Status.REFUNDED: [given_back],
            Status.CANCELLED: [("voided", None) if by_user else ("declined", order.reason)],
        }
        decision = decisions.get(order.id)
        if order.status in wanted and decision not in wanted[order.status]:
            yield Promise.AGREED, f"{order.id} is {order.status} ({order.reason}), the decision {decision}"
        if order.status is Status.FINISHED and order.cancel_requested_at:
            yield Promise.CANCELLED, f"{order.id} is {order.status}"


def once(shop: Shop) -> Broken:
    """Checks that no two orders have the same description."""
    for text, count in Counter(order.description for order in shop.databases["orders"].rows(ORDERS)).items():
        if count > 1:
            yield Promise.ONCE, f"{text} is {count} orders"


def undecided(shop: Shop) -> Iterator[Order]:
    named = {row.unhandled.subject for database in shop.databases.values() for row in database.rows(PARKED)}
    for order in shop.databases["orders"].rows(ORDERS):
        if order.status in (Status.NEW, Status.REFUNDING) and str(order.id) not in named:
            yield order


def not_forgotten(shop: Shop) -> Broken:
    if shop.destroying:
        return
    waiting = [row.events for database in shop.databases.values() for row in database.rows(OUTBOX)]
    under_way = [message.body for queue in shop.broker.queues.values() for message in queue]
    everything = b"".join(waiting + under_way + shop.broker.dead_letters)
    for order in undecided(shop):
        if str(order.id).encode() not in everything:
            yield Promise.NOT_FORGOTTEN, f"{order.description} ({order.id})"


def settled(shop: Shop) -> Broken:
    if not shop.is_quiet():
        queues: Mapping[str, int] = {name: len(queue) for name, queue in shop.broker.queues.items()}
        outboxes = {name: len(database.rows(OUTBOX)) for name, database in shop.databases.items()}
        orders = [order.description for order in undecided(shop)]
        yield Promise.RESTS, f"queued {queues}, in outboxes {outboxes}, undecided {orders}"
    decisions = {p.order_id for p in shop.databases["payments"].rows(PAYMENTS)}
    for order in shop.databases["orders"].rows(ORDERS):
        if order.status is Status.NEW and order.id in decisions:
            yield Promise.AGREED, f"{order.id} is decided, and NEW"
    if shop.repeated_requests_count and not shop.destroying:
        yield Promise.NOT_ASKED, f"{shop.repeated_requests_count} requests"
    deposits = Counter(
        (t.user_id, t.amount) for t in shop.databases["payments"].rows(TRANSFERS) if t.kind is Kind.DEPOSIT
    )
    for intent in shop.intents:
        if intent.kind == "deposit" and deposits[intent.user_id, intent.amount] > 1:
            yield Promise.ONCE, f"{intent.user_id} deposited {intent.amount} more than once"


def cancelled(shop: Shop) -> Broken:
    ends = {order.id: order.status for order in shop.databases["orders"].rows(ORDERS)}
    for intent in shop.intents:
        for order_id in intent.ids if intent.kind == "cancel" else ():
            if ends[order_id] not in (Status.CANCELLED, Status.REFUNDED):
                yield Promise.CANCELLED, f"{intent.text} of {order_id}"


def parked(shop: Shop) -> Broken:
    rows = [row for database in shop.databases.values() for row in database.rows(PARKED)]
    found = Counter({row.unhandled.subject: row.count for row in rows})
    if found != Counter(shop.poison):
        yield Promise.PARKED_ONCE, f"{[(row.count, row.unhandled) for row in rows]}"
    if Counter(shop.broker.dead_letters).keys() != shop.garbage:
        yield Promise.PARKED_ONCE, f"dead letters {shop.broker.dead_letters}"


def refusals(shop: Shop) -> Broken:
    placed = {order.description for order in shop.databases["orders"].rows(ORDERS)}
    for intent in shop.intents:
        if intent.refusal and not intent.ids and intent.text in placed:
            yield Promise.NOTHING_LEFT, intent.text
        if intent.ids and intent.kind == "order" and intent.text not in placed:
            yield Promise.KEPT, intent.text

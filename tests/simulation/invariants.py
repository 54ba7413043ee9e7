"""What is promised, held against all that was committed, at every step and at rest."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import Any, Protocol

from kernel.adapters.memory.database import MemoryDatabase
from kernel.adapters.memory.outbox import OUTBOX
from kernel.adapters.memory.parked import PARKED
from orders.adapters.outbound.memory import ORDER_HISTORY, ORDERS
from orders.domain.order import Order, Status
from payments.adapters.outbound.memory import ACCOUNTS, PAYMENTS, TRANSFERS
from payments.domain.account import FUNDING, REVENUE, Decision, Kind
from tests.simulation.bus import Broker


class Promise(StrEnum):
    # To the client
    KEPT = "what was answered 2xx is there"
    OWN_ANSWER = "an answer is about what its caller asked for"
    ONCE_A_KEY = "one key, one outcome"
    ONCE = "what was asked for once happens once"
    PAYABLE = "an order that can be paid is not refused"
    NOTHING_LEFT = "a refused order leaves nothing"
    NO_CRASH = "every call has an outcome, and no job crashes"
    # About money
    BALANCE = "a balance is the sum of its transfers"
    NUMBERED = "the transfers of an account are numbered without a gap"
    NOT_NEGATIVE = "no balance is negative"
    CONSERVED = "balances and revenue are what was deposited"
    CAPTURED_ONCE = "no order is paid twice"
    CAPTURED_RIGHT = "a payment is of its order's user and amount, and its order is there"
    DECIDED = "a decision is captured just when a transfer paid it"
    # About orders
    HISTORY = "a history has no gap, no row without a change, and ends with the status"
    AGREED = "an order is finished only when captured, cancelled only when declined"
    # About messages
    NOT_FORGOTTEN = "an undecided order is always named by an event, a message or a parked one"
    NO_DEADLOCK = "locks are taken in key order, so that no transaction deadlocks"
    PARKED_ONCE = "what is poisonous is parked, once, and nothing else is"
    NOT_ASKED = "nobody asks again when nothing was destroyed"
    RESTS = "everything comes to rest, decided"


class Shop(Protocol):
    databases: dict[str, MemoryDatabase]
    broker: Broker
    intents: list[Any]
    poison: set[str]
    garbage: set[bytes]
    destroying: bool
    questions_count: int

    def is_quiet(self) -> bool: ...


Broken = Iterator[tuple[Promise, str]]


def at_every_step(shop: Shop, where: str) -> list[str]:
    found = [not_forgotten(shop)]
    if where == "payments":
        found += [balances(shop), payments(shop)]
    if where == "orders":
        found += [histories(shop), agreed(shop), once(shop)]
    return [f"{promise}: {detail}" for promise, detail in chain(*found)]


def at_rest(shop: Shop) -> list[str]:
    checks = (balances, payments, histories, agreed, once, not_forgotten, settled, parked, refusals)
    return [f"{promise}: {detail}" for check in checks for promise, detail in check(shop)]


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
    if sum(account.balance for account in accounts) + books[REVENUE] != -books[FUNDING]:
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
    recorded = {p.transfer_id for p in database.rows(PAYMENTS) if p.decision is Decision.CAPTURED}
    if recorded != {capture.id for capture in captures}:
        yield Promise.DECIDED, f"{recorded} were recorded"


def histories(shop: Shop) -> Broken:
    lives: defaultdict[Any, list[Any]] = defaultdict(list)
    for change in shop.databases["orders"].rows(ORDER_HISTORY):
        lives[change.order_id].append(change)
    for order in shop.databases["orders"].rows(ORDERS):
        life = sorted(lives.pop(order.id, []), key=lambda change: change.sequence)
        wanted = [Status.NEW] if order.status is Status.NEW else [Status.NEW, order.status]
        numbered = [change.sequence for change in life] == list(range(1, len(life) + 1))
        if [change.status for change in life] != wanted or not numbered:
            yield Promise.HISTORY, f"{order.id} is {order.status} after {[c.status.value for c in life]}"
    if lives:
        yield Promise.HISTORY, f"there are no orders {list(lives)}"


def agreed(shop: Shop) -> Broken:
    decisions = {p.order_id: p.decision for p in shop.databases["payments"].rows(PAYMENTS)}
    wanted = {Status.FINISHED: Decision.CAPTURED, Status.CANCELLED: Decision.DECLINED}
    for order in shop.databases["orders"].rows(ORDERS):
        if order.status in wanted and decisions.get(order.id) is not wanted[order.status]:
            yield Promise.AGREED, f"{order.id} is {order.status}, the decision {decisions.get(order.id)}"


def once(shop: Shop) -> Broken:
    """A description is nobody else's."""
    for text, count in Counter(order.description for order in shop.databases["orders"].rows(ORDERS)).items():
        if count > 1:
            yield Promise.ONCE, f"{text} is {count} orders"


def undecided(shop: Shop) -> Iterator[Order]:
    named = {row.unhandled.subject for database in shop.databases.values() for row in database.rows(PARKED)}
    for order in shop.databases["orders"].rows(ORDERS):
        if order.status is Status.NEW and str(order.id) not in named:
            yield order


def not_forgotten(shop: Shop) -> Broken:
    if shop.destroying:
        return
    waiting = [row.event for database in shop.databases.values() for row in database.rows(OUTBOX)]
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
    if shop.questions_count and not shop.destroying:
        yield Promise.NOT_ASKED, f"{shop.questions_count} questions"
    deposits = Counter(
        (t.user_id, t.amount) for t in shop.databases["payments"].rows(TRANSFERS) if t.kind is Kind.DEPOSIT
    )
    for intent in shop.intents:
        if intent.kind == "deposit" and deposits[intent.user_id, intent.amount] > 1:
            yield Promise.ONCE, f"{intent.user_id} deposited {intent.amount} more than once"


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

"""Clients that repeat a call until they know its outcome, and check the promises about its answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from kernel.adapters.lanes.lane import LaneFinder
from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import OutcomeUnknown, Refused, ShopError, Unavailable
from orders.domain.commands import CancelOrder, Placement
from orders.domain.order import Cancelled, Placed
from orders.domain.placing import EXPIRED
from orders.domain.status import Status
from payments.domain.account import Deposited, Opened, Reason
from payments.domain.commands import Deposit, OpenAccount
from tests.builders import TRACE
from tests.memory.clock import EPOCH
from tests.memory.database import MemoryDatabase
from tests.memory.orders import ORDERS
from tests.memory.payments import ACCOUNTS, TRANSFERS
from tests.simulation.faults import Faults
from tests.simulation.process import NoAnswer
from tests.simulation.promises import Freezes, Promise

# The answers that a client may get, besides refusals.
NOTHING = "no answer"
NOT_NOW = "not now"
REPLAYED = "yes, replayed"

# The largest difference between the clock of a process and the true time.
SKEW_MAX = timedelta(seconds=0.1)

T = TypeVar("T")


class Kind(StrEnum):
    OPEN = "open"
    DEPOSIT = "deposit"
    ORDER = "order"
    CANCEL = "cancel"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    CORRECT = "correct"


@dataclass(slots=True, eq=False, kw_only=True)
class Intent:
    """A call that shall take effect once. Its `text`, or for a deposit its amount, is unique.

    Without an answer, a call with a key is repeated, and a call without a key is given up (`unknown`). The
    key of a cancellation is its order. An operator's call has a note.
    """

    kind: Kind
    user_id: str
    key: str | None
    amount: int = 0
    text: str = ""
    note: str = ""
    pay_by: datetime | None = None
    ids: set[UUID] = field(default_factory=set)
    refusal: str | None = None
    unknown: bool = False
    answers: list[str] = field(default_factory=list)


class Shop(Protocol):
    faults: Faults
    intents: list[Intent]
    databases: dict[str, MemoryDatabase]
    lanes: dict[str, list[MemoryDatabase]]
    has_operators: bool
    freezes: Freezes

    def note(self, line: str) -> None: ...

    def breaks(self, promise: Promise, detail: str) -> None: ...

    async def call(self, service: str, name: str, act: Callable[[Any], Awaitable[T]]) -> T: ...


class Client:
    caller: Caller = ANYONE

    def __init__(self, shop: Shop, user_id: str) -> None:
        self.user_id = user_id
        self._shop = shop
        self._count = 0

    async def open(self, key: str | None = "open") -> None:
        intent = self._intent(Kind.OPEN, key)
        command = {"user_id": self.user_id, "idempotency_key": key}
        opened = await self._ask(
            intent,
            "payments",
            lambda s: s.open(OpenAccount(account_id=s.clock.new_id(), caller=ANYONE, **command)),
        )
        if isinstance(opened, Opened):
            row = self._shop.databases["payments"].get(ACCOUNTS, self.user_id)
            self._hold(Promise.KEPT, row is not None and row.id == opened.account.id, intent)

    async def deposit(self, amount: int, key: str | None = None) -> None:
        await self.pay_in(self.deposit_intent(amount, key))

    def deposit_intent(self, amount: int, key: str | None = None) -> Intent:
        """A deposit. Its amount is increased a little, so that the amount is unique."""
        return self._intent(Kind.DEPOSIT, key, amount + self._count)

    async def pay_in(self, intent: Intent) -> None:
        amount = intent.amount
        command = {"user_id": self.user_id, "amount": amount, "idempotency_key": intent.key}
        asked_at = _time()
        made = await self._ask(
            intent,
            "payments",
            lambda s: s.deposit(Deposit(transfer_id=s.clock.new_id(), caller=ANYONE, **command)),
        )
        if isinstance(made, Deposited):
            transfer = made.transfer
            rows = self._shop.databases["payments"].rows(TRANSFERS)
            self._hold(Promise.KEPT, transfer.id in {row.id for row in rows}, intent)
            self._hold(
                Promise.OWN_ANSWER, (transfer.user_id, transfer.amount) == (self.user_id, amount), intent
            )
            intent.ids.add(transfer.id)
            self._hold(Promise.ONCE_A_KEY, len(intent.ids) == 1, intent)
        elif isinstance(made, Refused) and made.code == Reason.ACCOUNT_FROZEN:
            self._hold(Promise.FROZEN, self._shop.freezes.any_since(self.user_id, asked_at), intent)

    def order_intent(
        self, amount: int, key: str | None = None, *, pay_within_s: float | None = None
    ) -> Intent:
        intent = self._intent(Kind.ORDER, key, amount)
        if pay_within_s is not None:
            intent.pay_by = _now() + timedelta(seconds=pay_within_s)
        return intent

    async def order(self, amount: int, key: str | None = None) -> None:
        await self.place(self.order_intent(amount, key))

    async def place(self, intent: Intent, *, twins: bool = False) -> None:
        """Of `twins`, which are under way at once, one may be refused and the other one not."""
        payable, asked_at = False, _time()
        finder = LaneFinder(len(self._shop.lanes["orders"]))

        async def post(orders: Any) -> Placed:
            nonlocal payable
            payable = self._sure_balance(intent) >= intent.amount
            placed: Placed = await orders.place(
                Placement(
                    order_id=finder.order_id(self.user_id, orders.clock.new_id()),
                    caller=ANYONE,
                    user_id=self.user_id,
                    amount=intent.amount,
                    description=intent.text,
                    idempotency_key=intent.key,
                    pay_by=intent.pay_by,
                    traceparent=TRACE,
                )
            )
            return placed

        intent.refusal = None
        placed = await self._ask(intent, "orders", post)
        rows = [row for row in self._shop.databases["orders"].rows(ORDERS) if row.description == intent.text]
        if isinstance(placed, Placed):
            order = placed.order
            own = (order.user_id, order.amount, order.description, order.pay_by)
            asked = (self.user_id, intent.amount, intent.text, intent.pay_by)
            self._hold(Promise.OWN_ANSWER, own == asked, intent)
            self._hold(Promise.KEPT, order.id in {row.id for row in rows}, intent)
            intent.ids.add(order.id)
            self._hold(Promise.ONCE_A_KEY, len(intent.ids) == 1, intent)
        elif isinstance(placed, Refused) and placed.code == "idempotency_key_reused":
            intent.refusal = placed.code
        elif isinstance(placed, Refused):
            intent.refusal = placed.code
            if placed.code == EXPIRED:
                over = intent.pay_by is not None and intent.pay_by < _now() + SKEW_MAX
                self._hold(Promise.PAYABLE, over, intent)
            elif placed.code == Reason.ACCOUNT_FROZEN:
                self._hold(Promise.FROZEN, self._shop.freezes.any_since(self.user_id, asked_at), intent)
            else:
                payable = payable and self._sure_balance(intent) >= intent.amount
                self._hold(Promise.PAYABLE, not payable, intent)
            self._hold(Promise.NOTHING_LEFT, twins or not rows, intent)

    async def place_other(self, earlier: Intent) -> None:
        """Places a different order with the key of an accepted one. It has to be refused."""
        intent = self.order_intent(earlier.amount + 1, earlier.key)
        await self.place(intent)
        self._hold(Promise.ONCE_A_KEY, intent.refusal == "idempotency_key_reused", intent)

    async def cancel(self, placed: Intent) -> None:
        """Cancels the placed order. Does nothing if the client never got the order's id."""
        for order_id in placed.ids:
            await self._cancel(order_id)

    async def _cancel(self, order_id: UUID) -> None:
        intent = self._intent(Kind.CANCEL, str(order_id))
        command = CancelOrder(
            order_id=order_id, caller=self.caller, user_id=self.user_id, traceparent=TRACE, note=intent.note
        )
        cancelled = await self._ask(intent, "orders", lambda s: s.cancel(command))
        row = self._shop.databases["orders"].get(ORDERS, (self.user_id, order_id))
        assert row is not None
        if isinstance(cancelled, Cancelled):
            intent.ids.add(order_id)
            self._hold(Promise.OWN_ANSWER, cancelled.order.id == order_id, intent)
            self._hold(Promise.KEPT, row.cancel_requested_at is not None, intent)
        elif cancelled is not None:
            over = {"order_cancelled": Status.CANCELLED, "order_refunded": Status.REFUNDED}
            self._hold(Promise.OWN_ANSWER, over.get(cancelled.code) is row.status, intent)

    def _sure_balance(self, but_for: Intent) -> int:
        """The least money that this user can have. Calls with unknown outcome count only if they take
        money."""
        mine = [intent for intent in self._shop.intents if intent.user_id == self.user_id]
        booked = [i.amount for i in mine if i.kind in (Kind.DEPOSIT, Kind.CORRECT) and i.ids]
        others = [i for i in mine if i is not but_for and (i.ids or not i.refusal)]
        orders = sum(i.amount for i in others if i.kind is Kind.ORDER)
        taken = sum(-i.amount for i in others if i.kind is Kind.CORRECT and i.amount < 0)
        return sum(amount for amount in booked if amount > 0) - orders - taken

    def _intent(self, kind: Kind, key: str | None, amount: int = 0) -> Intent:
        self._count += 1
        text = f"{self.user_id}'s {kind} {self._count}"
        note = text if self.caller.role is Role.OPERATOR else ""
        intent = Intent(kind=kind, user_id=self.user_id, key=key, amount=amount, text=text, note=note)
        self._shop.intents.append(intent)
        return intent

    def _hold(self, promise: Promise, kept: bool, intent: Intent) -> None:
        if not kept:
            self._shop.breaks(promise, f"{intent.text} of {intent.amount} with the key {intent.key}")

    async def _ask(
        self, intent: Intent, service: str, act: Callable[[Any], Awaitable[T]]
    ) -> T | ShopError | None:
        """Repeats a call until it has an answer. Returns the answer, or None if it gives up."""
        while True:
            try:
                answer = await self._shop.call(service, f"http.{intent.kind}", act)
                self._hear(intent, REPLAYED if getattr(answer, "replayed", False) else "yes")
                return answer
            except (NoAnswer, OutcomeUnknown):
                self._hear(intent, NOTHING)
                intent.unknown = True
                if intent.key is None:
                    return None
            except Unavailable:
                self._hear(intent, NOT_NOW)
            except ShopError as refusal:
                self._hear(intent, refusal.code)
                return refusal
            await asyncio.sleep(0.02 + self._shop.faults.latency_s())

    def _hear(self, intent: Intent, answer: str) -> None:
        intent.answers.append(answer)
        self._shop.note(f"{intent.text}: {answer}")


def _time() -> float:
    return asyncio.get_running_loop().time()


def _now() -> datetime:
    return EPOCH + timedelta(seconds=_time())

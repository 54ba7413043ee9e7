"""What the clients know: each wish, and how it was answered. Amounts are whole hundredths."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Wish:
    """A deposit or an order; refused as long as no attempt may have done anything."""

    user: str
    amount: int
    outcome: Outcome = Outcome.REFUSED

    def lost_answer(self) -> None:
        if self.outcome is Outcome.REFUSED:
            self.outcome = Outcome.UNKNOWN


@dataclass(slots=True)
class Order(Wish):
    """`tag` is its description, unlike any other; only one with a `key` may be repeated."""

    tag: str = ""
    key: str | None = None
    id: str = ""
    cancellation: Outcome = Outcome.REFUSED
    paid: bool | None = None
    """Whether a client saw it paid, or cancelled, which must not change any more."""


@dataclass
class History:
    accounts: set[str] = field(default_factory=set)
    deposits: list[Wish] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    others: set[str] = field(default_factory=set)
    """Users whose orders and deposits somebody else compares with what is stored."""
    _amounts: dict[str, set[int]] = field(default_factory=dict)

    def deposit(self, user: str, amount: int) -> Wish:
        """A deposit that no other of this user is like: its transfer can be told by the amount."""
        used = self._amounts.setdefault(user, set())
        while amount in used:
            amount += 1
        used.add(amount)
        self.deposits.append(Wish(user, amount))
        return self.deposits[-1]

    def order(self, user: str, amount: int, *, keyed: bool) -> Order:
        tag = f"order {len(self.orders)}"
        self.orders[tag] = Order(user, amount, tag=tag, key=f"key of {tag}" if keyed else None)
        return self.orders[tag]

    def accepted(self, order: Order, answer: Any) -> None:
        """Answered 2xx, perhaps not for the first time."""
        if order.id not in ("", answer["id"]):
            self.violates(f"{order.key} was order {order.id} and is {answer['id']} now", doubled=1)
        order.id, order.outcome = answer["id"], Outcome.ACCEPTED
        self.seen(order, answer)

    def seen(self, order: Order, answer: Any) -> None:
        """Checks what a client is shown of an order: its own values stay, and so does a decision."""
        shown = (answer["userId"], hundredths(answer["amount"]), answer["description"])
        if shown != (order.user, order.amount, order.tag):
            self.violates(f"{order} is shown as {answer}")
        if answer["status"] != "NEW":
            paid = answer["status"] != "CANCELLED"
            if order.paid not in (None, paid):
                self.violates(f"an order was {'' if order.paid else 'not '}paid, and now: {answer}")
            order.paid = paid

    def violates(self, what: str, *, lost: int = 0, doubled: int = 0) -> None:
        self.violations.append(what)
        self.lost += lost
        self.doubled += doubled

    @property
    def outcomes(self) -> Counter[Outcome]:
        return Counter(order.outcome for order in self.orders.values())


def hundredths(amount: Any) -> int:
    return int(amount * 100)


def units(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02}"

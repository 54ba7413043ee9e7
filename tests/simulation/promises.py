"""The promises to clients, and the evidence that they are held against."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from tests.memory.database import MemoryDatabase
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
    CONSERVED = "balances and revenue are what was deposited, and corrected"
    CAPTURED_ONCE = "no order is paid twice"
    CAPTURED_RIGHT = "a payment is of its order's user and amount, and its order is there"
    FROZEN = "a frozen account pays nothing and takes no deposit, and none other is told to be frozen"
    IN_TIME = "an order is declined as expired when its time is over, and is not paid after that"
    DECIDED = "a decision is captured just when a transfer paid it"
    REFUNDED_ONCE = "no order is refunded twice"
    REFUNDED_RIGHT = "a refund is of what its order paid"
    ASKED_FOR = "only an order that somebody cancelled is voided or refunded"
    # About what operators do
    RECORDED = "what an operator did is recorded in the transaction that did it, and nothing else is"
    # About orders
    HISTORY = "a history has no gap, no row without a change, and ends with the status"
    AGREED = "a status is that of the decision and of the refund"
    CANCELLED = "an order that somebody cancelled ends cancelled or refunded"
    # About lanes
    IN_ITS_LANE = "whatever is of a user is in the user's lane"
    # About messages
    NOT_FORGOTTEN = "an undecided order is always named by an event, a message or a parked one"
    NO_DEADLOCK = "locks are taken in key order, so that no transaction deadlocks"
    PARKED_ONCE = "what is poisonous is parked, once, and nothing else is"
    NOT_ASKED = "nobody asks again when nothing was destroyed"
    RESTS = "everything comes to rest, decided"


@dataclass
class Freezes:
    """The frozen accounts as they were seen, step by step."""

    spent: dict[str, int] = field(default_factory=dict)
    """How many captures and deposits an account had when it was frozen."""
    thawed_at: dict[str, float] = field(default_factory=dict)
    """The times at which accounts were thawed, in seconds of the event loop."""
    decided: set[UUID] = field(default_factory=set)
    """The orders that were declined because the account was frozen."""

    def any_since(self, user_id: str, at: float) -> bool:
        """Whether the account was frozen at any time since `at`."""
        return user_id in self.spent or self.thawed_at.get(user_id, -1.0) >= at


class Shop(Protocol):
    """The evidence that the promises are held against."""

    databases: dict[str, MemoryDatabase]
    lanes: Mapping[str, Sequence[MemoryDatabase]]
    broker: Broker
    intents: list[Any]
    poison: set[str]
    garbage: set[bytes]
    destroying: bool
    repeated_requests_count: int
    has_operators: bool
    freezes: Freezes

    def is_quiet(self) -> bool: ...


Broken = Iterator[tuple[Promise, str]]

"""The faults of port calls, and the plans that decide which call each fault hits."""

import random
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Protocol


class Fault(StrEnum):
    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"
    FAILS = "it fails and nothing is done"
    ANSWER_LOST = "it is done and its answer is lost"
    CONTENDS = "it loses against another transaction"
    COMMITS_LATE = "its answer is lost and it is done later"
    SERVER_AWAY = "its server goes away for a while"


# The calls of a transaction start with these words; whatever fails there takes the transaction with it.
STORES = {"orders", "history", "accounts", "ledger", "payments", "inbox", "outbox", "parked", "backlog"}
# Calls of operators, which have flows of their own.
OPERATING = {"operations", "held", "record", "discarded", "pauses", "runs"}
TRANSACTION = STORES | OPERATING | {"uow"}
COMMIT = "uow.commit"
# Calls outside any transaction that wait for others.
WAITING = {"placed.find_twins"}


@cache
def server_of(call: str) -> str | None:
    """The server that a call asks: the database of the process, the bus, or, for None, another process."""
    kind = call.split(".")[0]
    return (
        "database"
        if kind in TRANSACTION | {"placed", "opened", "reading", "own", "claims"}
        else "bus"
        if kind == "bus"
        else None
    )


def faults_of(call: str) -> Iterator[Fault]:
    yield from (Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.FAILS, Fault.ANSWER_LOST)
    if call.split(".")[0] in TRANSACTION or call in WAITING:
        yield Fault.CONTENDS
    if call == COMMIT:
        yield Fault.COMMITS_LATE
    if server_of(call):
        yield Fault.SERVER_AWAY


class Faults(Protocol):
    """The faults and delays of one run. The same seed gives the same ones."""

    rng: random.Random
    count: int

    def draw(self, call: str) -> Fault | None:
        """The fault of this call; None if the call succeeds."""
        ...

    def latency_s(self) -> float:
        """The duration of a call, in seconds."""
        ...

    def outage_s(self) -> float:
        """The time until a dead process restarts, or by which a commit is late, in seconds."""
        ...

    def travel_s(self) -> float:
        """The time until a message is delivered, in seconds."""
        ...

    def copies(self) -> int:
        """The minimal number of times that the bus delivers a message."""
        ...

    def destroys(self) -> bool:
        """Whether the bus loses this message, against its promise."""
        ...


class OneFault:
    """At most one fault, at one call. `calls` lists the names of all calls."""

    def __init__(
        self, number: int | None = None, fault: Fault | None = None, *, destroyed: int | None = None
    ):
        self.rng = random.Random(0)
        self.count = 0
        self.calls: list[str] = []
        self.messages_count = 0
        self._number, self._fault, self._destroyed = number, fault, destroyed

    def draw(self, call: str) -> Fault | None:
        self.calls.append(call)
        if len(self.calls) - 1 != self._number:
            return None
        self.count += 1
        return self._fault

    def latency_s(self) -> float:
        return 0.001

    def outage_s(self) -> float:
        return 0.1

    def travel_s(self) -> float:
        return 0.001

    def copies(self) -> int:
        return 1

    def destroys(self) -> bool:
        self.messages_count += 1
        return self.messages_count - 1 == self._destroyed


class RandomFaults:
    """Several faults anywhere, and a bus that repeats, delays and reorders."""

    def __init__(self, seed: int, *, destroying: bool = False) -> None:
        self.rng = random.Random(seed)
        self.count = 0
        self._left = self.rng.randint(0, 10)
        self._chance = self.rng.choice((0.005, 0.02, 0.1))
        self._latency_s = self.rng.choice((0.001, 0.01, 0.03))
        self._travel_s = self.rng.choice((0.001, 0.05, 0.3))
        self._copied = self.rng.choice((0.0, 0.1, 0.5))
        self._destroyed = 0.1 if destroying else 0.0

    def draw(self, call: str) -> Fault | None:
        if not self._left or self.rng.random() >= self._chance:
            return None
        self._left -= 1
        self.count += 1
        return self.rng.choice(list(faults_of(call)))

    def latency_s(self) -> float:
        return self.rng.random() ** 3 * self._latency_s

    def outage_s(self) -> float:
        return self.rng.random() * 0.5

    def travel_s(self) -> float:
        return self.rng.random() * self._travel_s

    def copies(self) -> int:
        return 1 + (self.rng.random() < self._copied)

    def destroys(self) -> bool:
        return self.rng.random() < self._destroyed

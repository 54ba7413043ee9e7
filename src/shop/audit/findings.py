"""What an audit has to tell: what was checked, and what is not as it should be."""

from collections import Counter
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from kernel.domain.money import in_units

# A report stays readable, and small, however much is wrong; what is not shown is still counted.
SHOWN_MAX = 100


class Check(StrEnum):
    ACCOUNTS = "accounts"
    TRANSFERS = "transfers"
    MONEY = "money"
    DECISIONS = "decisions"
    HISTORIES = "histories"
    ORDERS = "orders"
    OUTBOXES = "outboxes"


class Fault(msgspec.Struct, frozen=True):
    """`kind` is a stable word for programs; `subject` names the order, transfer, account or message."""

    check: Check
    kind: str
    subject: str
    found: str = msgspec.field(name="is")
    expected: str = msgspec.field(name="shouldBe")


class Checked(msgspec.Struct, frozen=True):
    check: Check
    count: int
    faults: int


class Waiting(msgspec.Struct, frozen=True, rename="camel"):
    """What was under way at the audit's moment: orders by status, and rows of the outboxes. `not_running`
    names the services that are not running on their database."""

    new: int
    refunding: int
    outbox: int
    not_running: list[str]


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """`faults` holds the first 100 of them; `parked` counts the messages that wait for an operator."""

    sound: bool
    checked: list[Checked]
    waiting: Waiting
    parked: int
    fault_count: int
    faults: list[Fault]


class Findings:
    """Collects faults while the audit runs; keeps no more of them than are shown."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._counts: Counter[Check] = Counter()

    def add(self, fault: Fault) -> None:
        self._counts[fault.check] += 1
        if len(self._faults) < SHOWN_MAX:
            self._faults.append(fault)

    def report(self, counts: dict[Check, int], waiting: Waiting, parked: int) -> Report:
        fault_count = self._counts.total()
        order = list(Check)
        return Report(
            sound=fault_count == 0,
            checked=[Checked(check, counts[check], self._counts[check]) for check in Check],
            waiting=waiting,
            parked=parked,
            fault_count=fault_count,
            faults=sorted(self._faults, key=lambda fault: order.index(fault.check)),
        )


def account(user_id: str) -> str:
    return f"account of {user_id}"


def order(user_id: str, order_id: UUID) -> str:
    return f"order {order_id} of {user_id}"


def transfer(user_id: str, sequence: int, transfer_id: UUID) -> str:
    return f"transfer {sequence} of {user_id} ({transfer_id})"


def message(event_type: str, event_id: UUID) -> str:
    return f"message {event_type} {event_id}"


def money(minor: int | Decimal | None) -> str:
    return "nothing" if minor is None else str(in_units(int(minor)))


def word(value: Any) -> str:
    return "nothing" if value is None else str(value)

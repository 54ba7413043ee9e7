"""Explains an order: joins the facts of both services, and derives what the order waits for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from kernel.domain.facts import Fact, Part, What, joined
from kernel.domain.value import value

ORDERS, PAYMENTS = "orders", "payments"
PENDING = ("NEW", "REFUNDING")
# A younger unpublished event is normal: once a second, a relay publishes events that others left behind.
UNPUBLISHED_AFTER = timedelta(seconds=3)


@value(kw_only=True)
class Wait:
    """A reason why an order waits. `since` is the time of the fact that shows the reason; None if no time is
    stored. `until` is the time at which orders asks payments again; None if orders will not ask."""

    why: str
    """A stable code, such as `not_published`."""
    detail: str
    since: datetime | None = None
    until: datetime | None = None


@value(kw_only=True)
class Explained:
    user_id: str | None
    trace_id: UUID | None
    """The trace id of the call that placed the order; None if it is not known."""
    status: str | None
    """None if orders does not know the order, or does not answer."""
    facts: Sequence[Fact]
    """Sorted by time."""
    waits: Sequence[Wait]
    unknown: Mapping[str, str]
    """For each service with missing facts, the reason."""


def explained(parts: Mapping[str, Part], unknown: Mapping[str, str], now: datetime) -> Explained:
    """`parts` has the facts of each service that answered. `unknown` has the reason for each service whose
    facts are missing or incomplete."""
    known = joined(parts.values())
    facts = sorted(known.facts, key=lambda fact: (fact.at, fact.service))
    statuses = [fact.detail.partition(":")[0] for fact in facts if fact.what is What.STATUS]
    status = statuses[-1] if statuses else None
    is_open = status in PENDING or (status is None and ORDERS in unknown)
    found = _Found(facts, unknown, now)
    # If orders will not ask again, the stored time is wrong.
    hidden = () if found.asks_again else (What.ASKS_AGAIN,)
    return Explained(
        user_id=known.user_id,
        trace_id=known.trace_id,
        status=status,
        facts=[fact for fact in facts if fact.what not in hidden],
        waits=_waits(found) if is_open else [],
        unknown=unknown,
    )


def _waits(found: "_Found") -> list[Wait]:
    """Hindrances come first, because an operator can remove them, then unpublished events. The next step of
    the order is listed only if no other reason is known."""
    at_orders = list(found.hindrances(ORDERS))
    if not found.is_answered:
        hindrances = list(found.hindrances(PAYMENTS))
        unpublished = list(found.not_published(ORDERS, "not_published"))
        pending = () if hindrances or unpublished or PAYMENTS in found.unknown else (found.not_decided,)
    else:
        hindrances = []
        unpublished = list(found.not_published(PAYMENTS, "answer_not_published"))
        pending = () if unpublished or at_orders or found.unknown else (found.not_settled,)
    hindrances += at_orders
    waiting = [wait for wait in unpublished if wait not in hindrances]
    return [*found.not_known, *hindrances, *waiting, *pending]


class _Found:
    def __init__(self, facts: Sequence[Fact], unknown: Mapping[str, str], now: datetime) -> None:
        self._facts = facts
        self._now = now
        self.unknown = unknown

    @property
    def not_known(self) -> Iterator[Wait]:
        for service, cause in self.unknown.items():
            detail = f"some facts of {service} are missing: {cause}"
            yield Wait(why=f"{service}_unknown", detail=detail)

    @property
    def not_decided(self) -> Wait:
        return Wait(why="not_decided", detail="payments has not decided it", until=self.asks_again)

    @property
    def not_settled(self) -> Wait:
        detail = "payments has decided it, and orders has not settled it"
        return Wait(why="not_settled", detail=detail, until=self.asks_again)

    @property
    def is_answered(self) -> bool:
        """Whether payments has decided the latest request: the payment, or the refund."""
        decided = self._last(PAYMENTS, What.DECIDED)
        if decided is None:
            return False
        was_paid = decided.detail.startswith("captured")
        is_given_back = any(f.what is What.TRANSFER and f.detail.startswith("refund") for f in self._facts)
        return not (was_paid and self._last(ORDERS, What.CANCEL_REQUESTED)) or is_given_back

    def not_published(self, service: str, why: str) -> Iterator[Wait]:
        """Yields the wait for an event that has been in the outbox for too long. If no process of the service
        runs, yields the wait for a process instead, because a process has to publish the event."""
        event = self._unpublished(service)
        if event is None:
            return
        stopped = [wait for wait in self.hindrances(service) if wait.why == f"{service}_not_running"]
        confirms = "the broker, or in one process its consumer, confirms it"
        detail = f"{event.detail} is in the outbox of {service}, which it leaves once {confirms}"
        yield from stopped or [Wait(why=why, detail=detail, since=event.at)]

    def hindrances(self, service: str) -> Iterator[Wait]:
        for what, why, detail in (
            (What.PARKED, "parked", f"a message is parked at {service}, and waits for an operator"),
            (What.PAUSED, "paused", f"the consumer of {service} is paused"),
            (What.NOT_RUNNING, "not_running", f"no process of {service} is connected to its database"),
            (What.NAMELESS, "running_unknown", f"whether a process of {service} runs is not known"),
            (What.BLOCKED, "blocked", f"another transaction holds locks in the database of {service}"),
        ):
            for fact in self._all(service, what):
                said = ": ".join(filter(None, (detail, fact.detail)))
                since = None if fact.seen else fact.at
                yield Wait(why=f"{service}_{why}", detail=said, since=since)

    @property
    def asks_again(self) -> datetime | None:
        """The time at which orders asks payments again; None if it will not. Orders does not ask about an
        order that is locked or has a parked message. While it has a backlog, it asks about no order."""
        hindering = (What.PARKED, What.NOT_RUNNING, What.NAMELESS, What.BLOCKED, What.BACKLOG)
        if ORDERS in self.unknown or self._unpublished(ORDERS):
            return None
        if any(fact.service == ORDERS and fact.what in hindering for fact in self._facts):
            return None
        due = self._last(ORDERS, What.ASKS_AGAIN)
        return due.at if due and due.at > self._now else None

    def _unpublished(self, service: str) -> Fact | None:
        """An event that has been in the outbox for too long, or None. Messages that a service replays to
        itself are in the outbox too, but they are no events: their type has no dot."""
        before = self._now - UNPUBLISHED_AFTER
        events = (fact for fact in self._all(service, What.IN_OUTBOX) if "." in fact.detail)
        return next((fact for fact in events if fact.at < before), None)

    def _last(self, service: str, what: What) -> Fact | None:
        found = self._all(service, what)
        return found[-1] if found else None

    def _all(self, service: str, what: What) -> list[Fact]:
        return [fact for fact in self._facts if (fact.service, fact.what) == (service, what)]

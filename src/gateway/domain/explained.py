"""Why an order is where it is: the facts of both services, and what it waits for by them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from kernel.domain.facts import Fact, Part, What
from kernel.domain.value import value

ORDERS, PAYMENTS = "orders", "payments"
PENDING = ("NEW", "REFUNDING")


@value(kw_only=True)
class Wait:
    """`since` is that of the fact that says so; `until` is when orders asks again, which may heal it."""

    why: str
    """A stable word."""
    detail: str
    since: datetime | None = None
    until: datetime | None = None


@value(kw_only=True)
class Explained:
    user_id: str | None
    status: str | None
    """None where orders does not know the order, or does not answer."""
    facts: Sequence[Fact]
    """In the order of time."""
    waits: Sequence[Wait]
    unknown: Sequence[str]


def explained(parts: Mapping[str, Part], unknown: Sequence[str]) -> Explained:
    """`parts` are of the services that answer."""
    facts = sorted(
        (fact for part in parts.values() for fact in part.facts), key=lambda fact: (fact.at, fact.service)
    )
    statuses = [fact.detail.partition(":")[0] for fact in facts if fact.what is What.STATUS]
    status = statuses[-1] if statuses else None
    is_open = status in PENDING or (status is None and ORDERS in unknown)
    return Explained(
        user_id=next((part.user_id for part in parts.values() if part.user_id), None),
        status=status,
        facts=facts,
        waits=list(_waits(facts, unknown)) if is_open else [],
        unknown=unknown,
    )


def _waits(facts: Sequence[Fact], unknown: Sequence[str]) -> Iterator[Wait]:
    """What stands in the way, from orders to payments and back; the first that does is the reason."""
    found = _Found(facts)
    asks_again = found.last(ORDERS, What.ASKS_AGAIN)
    until = asks_again.at if asks_again else None
    for service in unknown:
        yield Wait(why=f"{service}_unknown", detail=f"{service} does not answer: its part is not known")
    if waiting := found.last(ORDERS, What.IN_OUTBOX):
        yield from found.hindrances(ORDERS, until)
        detail = f"orders has not published {waiting.detail}: the broker has not confirmed it"
        yield Wait(why="not_published", detail=detail, since=waiting.at, until=until)
        return
    if PAYMENTS not in unknown and not found.is_answered:
        yield from found.hindrances(PAYMENTS, until)
        yield Wait(why="not_decided", detail="published, and payments has not decided it", until=until)
        return
    if waiting := found.last(PAYMENTS, What.IN_OUTBOX):
        yield from found.hindrances(PAYMENTS, until)
        detail = f"payments has not published {waiting.detail}: the broker has not confirmed it"
        yield Wait(why="answer_not_published", detail=detail, since=waiting.at, until=until)
        return
    if ORDERS not in unknown and PAYMENTS not in unknown:
        yield from found.hindrances(ORDERS, until)
        yield Wait(
            why="not_settled", detail="payments has answered, and orders has not settled it", until=until
        )


class _Found:
    def __init__(self, facts: Sequence[Fact]) -> None:
        self._facts = facts

    def last(self, service: str, what: What) -> Fact | None:
        return next((f for f in reversed(self._facts) if (f.service, f.what) == (service, what)), None)

    @property
    def is_answered(self) -> bool:
        """Whether payments has decided what was asked last: to pay, or to give back."""
        decided = self.last(PAYMENTS, What.DECIDED)
        if decided is None:
            return False
        was_paid = decided.detail.startswith("captured")
        is_given_back = any(f.what is What.TRANSFER and f.detail.startswith("refund") for f in self._facts)
        return not (was_paid and self.last(ORDERS, What.CANCEL_REQUESTED)) or is_given_back

    def hindrances(self, service: str, until: datetime | None) -> Iterator[Wait]:
        for what, why, detail in (
            (What.PARKED, "parked", f"a message is parked at {service}, and waits for an operator"),
            (What.PAUSED, "paused", f"the consumer of {service} is paused by an operator"),
            (What.NOT_RUNNING, "not_running", f"no process of {service} is connected to its database"),
            (What.BLOCKED, "blocked", f"a statement of {service} waits for a lock in its database"),
        ):
            if fact := self.last(service, what):
                said = ": ".join(filter(None, (detail, fact.detail)))
                yield Wait(why=f"{service}_{why}", detail=said, since=fact.at, until=until)

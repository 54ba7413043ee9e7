"""What several services tell is joined, and says which part is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from gateway.application.read_record import ReadRecord
from kernel.domain.acts import Act, Place
from kernel.domain.caller import ANYONE, Caller
from kernel.domain.errors import Unavailable
from tests.memory.clock import EPOCH


@dataclass
class Recording:
    """A service of which these acts are known; None: it is away."""

    known: Sequence[Act] | None = None
    asked: list[Caller] = field(default_factory=list)

    async def acts(self, caller: Caller, *, after: Place | None, limit: int) -> Sequence[Act]:
        self.asked.append(caller)
        if self.known is None:
            raise Unavailable("away")
        return self.known[:limit]


def act(hours: int) -> Act:
    at = EPOCH + timedelta(hours=hours)
    return Act(user_id="alice", subject=UUID(int=hours), did="deposit", operator="ada", through="", at=at)


async def test_the_newest_of_all_services_come_first() -> None:
    services = {"orders": Recording([act(4), act(1)]), "payments": Recording([act(3), act(2)])}
    joined = await ReadRecord(services)(ANYONE, after=None, limit=3)
    assert joined.items == [("orders", act(4)), ("payments", act(3)), ("payments", act(2))]
    assert (joined.more, joined.unknown) == (True, [])


async def test_the_part_of_a_service_that_is_away_is_named() -> None:
    services = {"orders": Recording(), "payments": Recording([act(3)])}
    joined = await ReadRecord(services)(ANYONE, after=None, limit=3)
    assert joined.items == [("payments", act(3))]
    assert (joined.more, joined.unknown) == (False, ["orders"])


async def test_there_is_no_answer_while_every_service_is_away() -> None:
    with pytest.raises(Unavailable):
        await ReadRecord({"orders": Recording(), "payments": Recording()})(ANYONE, after=None, limit=3)

"""What waits in several services is one list, and of one thing the service that has it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from gateway.application.join_parked import JoinParked
from gateway.ports.operators import Listed, What
from kernel.domain.caller import ANYONE, Caller
from kernel.domain.errors import OutcomeUnknown, Unavailable
from kernel.ports.http_answer import HttpAnswer


@dataclass
class Parking:
    """A service with these messages; what it answers about one of them, or raises."""

    ids: Sequence[int] = ()
    answer: int | Exception = 404
    asked: list[str] = field(default_factory=list)

    async def parked(
        self, caller: Caller, what: What, *, group: UUID | None = None, after: UUID | None, limit: int
    ) -> Sequence[Listed]:
        if isinstance(self.answer, Exception):
            raise self.answer
        wanted = [id for id in self.ids if after is None or id > after.int]
        return [Listed(UUID(int=id), b"%d" % id) for id in wanted][:limit]

    async def read(self, caller: Caller, path: str) -> HttpAnswer:
        self.asked.append(path)
        if isinstance(self.answer, Exception):
            raise self.answer
        return HttpAnswer(self.answer, "application/json", {}, b"")

    async def act(self, caller: Caller, path: str, body: bytes, *, key: str | None = None) -> HttpAnswer:
        return await self.read(caller, path)


async def test_pages_of_all_services_are_one_list_in_the_order_of_ids() -> None:
    join = JoinParked({"orders": Parking([1, 4, 5]), "payments": Parking([2, 3, 6])})
    found: list[int] = []
    after, more = None, True
    while more:
        page = await join.page(ANYONE, "messages", after=after, limit=2)
        found += [item.id.int for item in page.items]
        after, more = (page.items[-1].id if page.items else None), page.more
    assert found == [1, 2, 3, 4, 5, 6]


async def test_the_service_that_is_away_is_named_and_where_all_are_away_there_is_no_answer() -> None:
    away = Unavailable("away")
    page = await JoinParked({"orders": Parking(answer=away), "payments": Parking([2])}).page(
        ANYONE, "groups", after=None, limit=2
    )
    assert ([item.id.int for item in page.items], page.more, page.unknown) == ([2], False, ["orders"])
    with pytest.raises(Unavailable):
        await JoinParked({"orders": Parking(answer=away)}).page(ANYONE, "groups", after=None, limit=2)


@pytest.mark.parametrize("answers", [(200, 404), (404, 200), (404, 202), (400, 404), (404, 503), (404, 404)])
async def test_the_answer_is_that_of_the_service_that_has_it(answers: tuple[int, int]) -> None:
    join = JoinParked({"orders": Parking(answer=answers[0]), "payments": Parking(answer=answers[1])})
    wanted = next((status for status in answers if status != 404), 404)
    assert (await join.read(ANYONE, "/x")).status == wanted
    assert (await join.act(ANYONE, "/x")).status == wanted


@pytest.mark.parametrize("error", [Unavailable("away"), OutcomeUnknown("lost")])
async def test_nothing_is_said_of_a_message_whose_service_may_be_away(error: Exception) -> None:
    missing = JoinParked({"orders": Parking(answer=error), "payments": Parking(answer=404)})
    with pytest.raises(type(error)):
        await missing.act(ANYONE, "/x")
    there = JoinParked({"orders": Parking(answer=error), "payments": Parking(answer=202)})
    assert (await there.act(ANYONE, "/x")).status == 202


async def test_an_unknown_outcome_is_told_before_one_that_was_surely_not_done() -> None:
    join = JoinParked(
        {"orders": Parking(answer=Unavailable("away")), "payments": Parking(answer=OutcomeUnknown("lost"))}
    )
    with pytest.raises(OutcomeUnknown):
        await join.act(ANYONE, "/x")


async def test_a_bug_is_not_taken_for_a_server_that_is_away() -> None:
    join = JoinParked({"orders": Parking(answer=ValueError("a bug")), "payments": Parking(answer=404)})
    with pytest.raises(ValueError, match="a bug"):
        await join.read(ANYONE, "/x")

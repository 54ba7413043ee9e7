"""What waits for a lane that is away is kept elsewhere, and handed back once the lane answers."""

import pytest

from kernel.application.set_aside import HandBack, SetAside, Turns, Waiting, encode_waiting
from kernel.domain.errors import Unavailable
from tests.memory.clock import MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.outbox import MemoryBacklog, MemoryOutbox
from tests.memory.unit_of_work import MemoryUnitOfWork


class Keeper:
    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.handed: list[bytes] = []
        self.lost: set[int] = set()
        self.turns = Turns(4, self.lost.__contains__)

    async def keep(self, *waiting: Waiting) -> None:
        uow = MemoryUnitOfWork(self.database)
        outbox = MemoryOutbox[Waiting](uow, MemoryClock(), encode_waiting, lambda _: None)
        await SetAside(uow, outbox)(waiting)

    async def hand_back(self) -> int:
        uow = MemoryUnitOfWork(self.database)
        return (await HandBack(uow, MemoryBacklog(uow))(self.handle, self.turns)).events

    async def handle(self, body: bytes) -> None:
        self.handed.append(body)


async def test_what_waits_is_handed_back_once_as_it_came() -> None:
    keeper = Keeper()
    await keeper.keep(Waiting(2, b'{"id":"1"}'), Waiting(2, b'{"id":"2"}'))
    assert await keeper.hand_back() == 2
    assert keeper.handed == [b'[{"id":"1"},{"id":"2"}]']
    assert await keeper.hand_back() == 0


async def test_a_lane_that_is_still_away_holds_up_no_other() -> None:
    keeper = Keeper()
    await keeper.keep(Waiting(2, b'{"id":"1"}'), Waiting(3, b'{"id":"2"}'))
    keeper.lost.add(2)
    assert await keeper.hand_back() == 1
    assert keeper.handed == [b'[{"id":"2"}]']


async def test_what_cannot_be_handled_yet_is_kept() -> None:
    keeper = Keeper()
    await keeper.keep(Waiting(2, b"{}"))

    async def refuse(_: bytes) -> None:
        raise Unavailable("away again")

    keeper.handle, handle = refuse, keeper.handle  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await keeper.hand_back()
    keeper.handle = handle  # type: ignore[method-assign]
    assert await keeper.hand_back() == 1


async def test_a_lane_that_handles_nothing_does_not_hold_up_the_others() -> None:
    keeper = Keeper()
    await keeper.keep(*(Waiting(lane, b"%d" % lane) for lane in (1, 2, 3)))

    async def all_but_the_first(body: bytes) -> None:
        if body == b"[1]":
            raise Unavailable("busy")
        keeper.handed.append(body)

    keeper.handle = all_but_the_first  # type: ignore[method-assign]
    for fails in (True, False, False, True):
        if fails:
            with pytest.raises(Unavailable):
                await keeper.hand_back()
        else:
            assert await keeper.hand_back() == 1
    assert keeper.handed == [b"[2]", b"[3]"]

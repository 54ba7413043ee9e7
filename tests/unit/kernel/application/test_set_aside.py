"""What waits for a lane that is away is kept elsewhere, and handed back once the lane answers."""

import pytest

from kernel.application.set_aside import HandBack, SetAside, Waiting, encode_waiting
from kernel.domain.errors import Unavailable
from tests.memory.clock import MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.outbox import MemoryBacklog, MemoryOutbox
from tests.memory.unit_of_work import MemoryUnitOfWork


class Keeper:
    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.handed: list[bytes] = []

    async def keep(self, *waiting: Waiting) -> None:
        uow = MemoryUnitOfWork(self.database)
        outbox = MemoryOutbox[Waiting](uow, MemoryClock(), encode_waiting, lambda _: None)
        await SetAside(uow, outbox)(waiting)

    async def hand_back(self, *lanes: int) -> int:
        uow = MemoryUnitOfWork(self.database)
        return (await HandBack(uow, MemoryBacklog(uow))(self.handle, lambda: lanes)).events

    async def handle(self, body: bytes) -> None:
        self.handed.append(body)


async def test_what_waits_is_handed_back_once_as_it_came() -> None:
    keeper = Keeper()
    await keeper.keep(Waiting(2, b'{"id":"1"}'), Waiting(2, b'{"id":"2"}'))
    assert await keeper.hand_back(0, 1, 2, 3) == 2
    assert keeper.handed == [b'[{"id":"1"},{"id":"2"}]']
    assert await keeper.hand_back(0, 1, 2, 3) == 0


async def test_a_lane_that_is_still_away_holds_up_no_other() -> None:
    keeper = Keeper()
    await keeper.keep(Waiting(2, b'{"id":"1"}'), Waiting(3, b'{"id":"2"}'))
    assert await keeper.hand_back(0, 1, 3) == 1
    assert keeper.handed == [b'[{"id":"2"}]']


async def test_what_cannot_be_handled_yet_is_kept() -> None:
    keeper = Keeper()
    await keeper.keep(Waiting(2, b"{}"))

    async def refuse(_: bytes) -> None:
        raise Unavailable("away again")

    keeper.handle, handle = refuse, keeper.handle  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await keeper.hand_back(2)
    keeper.handle = handle  # type: ignore[method-assign]
    assert await keeper.hand_back(2) == 1

"""What others left in the outbox is found by one question for all types."""

import asyncio

from kernel.application.poll import PollOutbox
from kernel.application.relay import RelayResult
from kernel.application.relay_loop import Relay
from kernel.ports.outbox import OutboxRow
from tests.memory.clock import MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.outbox import OUTBOX, MemoryBacklog
from tests.memory.unit_of_work import MemoryUnitOfWork


async def test_a_poll_wakes_the_relays_of_what_waits_and_no_others() -> None:
    database, clock = MemoryDatabase(), MemoryClock()
    rounds: dict[str, asyncio.Queue[None]] = {"a": asyncio.Queue(), "b": asyncio.Queue()}

    def relay(name: str) -> Relay:
        async def publish() -> RelayResult:
            rounds[name].put_nowait(None)
            return RelayResult.of(())

        return Relay(publish, clock)

    relays = {name: [relay(name)] for name in rounds}
    running = [asyncio.create_task(one.run()) for (one,) in relays.values()]
    async with asyncio.timeout(5):
        for name in rounds:
            await rounds[name].get()
        async with (uow := MemoryUnitOfWork(database)):
            await uow.transaction.insert(OUTBOX, OutboxRow("b", clock.new_id(), b"1", 1))
        await PollOutbox(uow := MemoryUnitOfWork(database), MemoryBacklog(uow))(relays)
        await rounds["b"].get()
    assert rounds["a"].empty()
    for task in running:
        task.cancel()

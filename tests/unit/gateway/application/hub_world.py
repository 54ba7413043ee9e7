"""A hub in virtual time, with orders that it can read."""

import asyncio
import inspect
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any
from uuid import UUID

from gateway.application.hub import Hub
from gateway.application.watch import Watch
from gateway.domain.orders import Change, Placed
from kernel.adapters.in_process.bus import InProcessBroker, InProcessNotifications
from kernel.domain.caller import ANYONE
from kernel.domain.errors import Unavailable
from tests.catalog import CATALOG
from tests.simulation.loop import SimClock, VirtualLoop
from tests.unit.clock import id_of

STATUSES = ("NEW", "FINISHED", "REFUNDING", "REFUNDED")
ONE = id_of(1)
PLACED = Placed(ONE, "alice", "NEW", b"1", replayed=False)


def change(sequence: int, order_id: UUID = ONE, statuses: Sequence[str] = STATUSES) -> Change:
    return Change(order_id, "alice", sequence, statuses[sequence - 1], b"%d" % sequence)


class HubWorld:
    """A hub, and the orders that it can read; `now` is in seconds since the beginning."""

    def __init__(self) -> None:
        self.notifications = InProcessNotifications(InProcessBroker(CATALOG))
        self.hub = self.make_hub()
        self.lengths: dict[UUID, int] = {}
        self.away = False
        self.reads: list[tuple[float, UUID]] = []
        self.reading_s = 0.01
        self.calls_count = 0
        self.jobs = asyncio.create_task(self.hub.run())

    def make_hub(self, **limits: int) -> Hub:
        clock = SimClock(random.Random(1), skew_s=0)
        return Hub(self, self.notifications, clock, **limits)  # type: ignore[arg-type]

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def becomes(self, sequence: int, order_id: UUID = ONE, *, notified: bool = True) -> None:
        """The order has had so many changes; the last one is notified of, or that is lost."""
        self.lengths[order_id] = sequence
        if notified:
            self.hub.notify([change(sequence, order_id)])

    async def changes(self, order_ids: Sequence[UUID]) -> Sequence[Sequence[Change]]:
        self.reads += [(self.now, order_id) for order_id in order_ids]
        self.calls_count += 1
        status_histories = [self._history(order_id) for order_id in order_ids]
        away = self.away
        await asyncio.sleep(self.reading_s)
        if away:
            raise Unavailable("orders is away")
        return status_histories

    def _history(self, order_id: UUID) -> Sequence[Change]:
        return [change(sequence, order_id) for sequence in range(1, self.lengths.get(order_id, 0) + 1)]

    async def read_to_the_end(self, place: int = 0, order_id: UUID = ONE) -> list[int]:
        async with self.hub.watch(ANYONE, order_id, place=place) as watch:
            return await rest(watch)


async def rest(watch: Watch) -> list[int]:
    """The numbers of all changes from here to the end, which comes within an hour."""
    seen = []
    async with asyncio.timeout(3600):
        while not watch.over:
            if found := await watch.next(within_s=15):
                seen.append(found.sequence)
    return seen


async def turns() -> None:
    """Everything that can happen now has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


def virtually(story: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @wraps(story)
    def run(**parameters: Any) -> None:
        async def play() -> None:
            await story(HubWorld(), **parameters)

        loop = VirtualLoop()
        try:
            loop.run_until_complete(play())
        finally:
            loop.end()

    parameters = list(inspect.signature(story).parameters.values())
    run.__signature__ = inspect.Signature(parameters[1:])  # type: ignore[attr-defined]
    return run

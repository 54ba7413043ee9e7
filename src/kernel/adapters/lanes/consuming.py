import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar
from uuid import UUID

from kernel.adapters.lanes.groups import by_lane, of_each
from kernel.adapters.lanes.lane import IsLost, LaneFinder, never_lost
from kernel.application.consume import Consumer
from kernel.application.set_aside import Waiting
from kernel.domain.errors import TEMPORARY
from kernel.domain.events import Event, Received, Unhandled

E = TypeVar("E", bound=Event)

LOOK_EVERY_S = 0.25


class ConsumerOfLanes(Generic[E]):
    """Hands each event to the consumer of its lane; returns once all are handled, parked or set aside. A
    message of a service is for one lane; one that was published by hand may be for several.

    Events for a lost lane are set aside in the first lane that answers (kernel/application/set_aside.py).
    """

    def __init__(
        self,
        consumers: Sequence[Consumer[E]],
        set_aside: Sequence[Callable[[Sequence[Waiting]], Awaitable[None]]] = (),
        is_lost: IsLost = never_lost,
    ) -> None:
        """`set_aside`: one for each lane; none where all lanes are on one server, which is waited for."""
        self._consumers = consumers
        self._set_aside = set_aside
        self._is_lost = is_lost
        self._finder = LaneFinder(len(consumers))

    async def __call__(self, body: bytes) -> None:
        await of_each(by_lane(self._consumers[0].decode(body), self._lane_of), self._take)

    def _lane_of(self, item: Received[E] | Unhandled) -> int:
        """The lane of the user; of an unreadable event that of its subject, an order, or else the first."""
        if isinstance(item, Received):
            return self._finder.of_user(item.fact.key)
        try:
            return self._finder.of_order(UUID(item.subject))
        except ValueError:
            return 0

    async def _take(self, lane: int, items: Sequence[Received[E] | Unhandled]) -> None:
        if not self._set_aside:
            await self._consumers[lane].take(items)
            return
        while True:
            if not self._is_lost(lane):
                if await self._taken(lane, items):
                    return
            elif (keeper := self._first_that_answers()) is not None:
                with suppress(*TEMPORARY):
                    await self._keep(keeper, lane, items)
                    return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _taken(self, lane: int, items: Sequence[Received[E] | Unhandled]) -> bool:
        """False once the lane is lost. What was begun may still be committed; a repeat changes nothing."""
        taking = asyncio.ensure_future(self._consumers[lane].take(items))
        try:
            while not self._is_lost(lane):
                done, _ = await asyncio.wait({taking}, timeout=LOOK_EVERY_S)
                if done:
                    taking.result()
                    return True
            return False
        finally:
            taking.cancel()

    async def _keep(self, keeper: int, lane: int, items: Sequence[Received[E] | Unhandled]) -> None:
        """What cannot be handled is parked, not set aside: the reason may be in the headers of the message,
        which are not kept."""
        await self._consumers[keeper].take([item for item in items if isinstance(item, Unhandled)])
        waiting = [Waiting(lane, item.payload) for item in items if isinstance(item, Received)]
        await self._set_aside[keeper](waiting)

    def _first_that_answers(self) -> int | None:
        return next((lane for lane in range(len(self._consumers)) if not self._is_lost(lane)), None)

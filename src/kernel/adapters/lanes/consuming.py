import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar
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
    """Hands each event to the consumer of its lane. Returns when every event is handled, parked or set aside.

    All events in a message of a service belong to one lane. A message published by hand may have events of
    several lanes. Events of a lost lane are set aside in the first lane that answers (see set_aside.py).
    """

    def __init__(
        self,
        consumers: Sequence[Consumer[E]],
        set_aside: Sequence[Callable[[Sequence[Waiting]], Awaitable[None]]] = (),
        is_lost: IsLost = never_lost,
    ) -> None:
        """`set_aside` has one function for each lane. It is empty if all lanes are on one server. While that
        server is away, the consumers wait for it."""
        self._consumers = consumers
        self._set_aside = set_aside
        self._is_lost = is_lost
        self._finder = LaneFinder(len(consumers))

    async def __call__(self, body: bytes) -> None:
        decoded = map(self._checked, self._consumers[0].decode(body))
        await of_each(by_lane(decoded, self._lane_of), self._take)

    def _checked(self, item: Received[E] | Unhandled) -> Received[E] | Unhandled:
        """Refuses an event whose order and user are in different lanes. Only the lane of an order knows what
        was decided; in another lane, the order could be paid a second time."""
        if isinstance(item, Unhandled):
            return item
        lane, of_user = self._finder.of_order(item.fact.subject), self._finder.of_user(item.fact.key)
        if lane == of_user:
            return item
        return item.unhandled(
            "foreign_lane", f"the id of the order leads to lane {lane}, and its user is in lane {of_user}"
        )

    def _lane_of(self, item: Received[E] | Unhandled) -> int:
        """The lane of the event's order. It is the first lane if the event names no order."""
        if isinstance(item, Received):
            return self._finder.of_order(item.fact.subject)
        try:
            return self._finder.of_order(UUID(item.subject))
        except ValueError:
            return 0

    async def _take(self, lane: int, items: Sequence[Received[E] | Unhandled]) -> None:
        if not self._set_aside:
            await self._consumers[lane].take(items)
            return
        while not await self._taken_or_kept(lane, items):
            await asyncio.sleep(LOOK_EVERY_S)

    async def _taken_or_kept(self, lane: int, items: Sequence[Received[E] | Unhandled]) -> bool:
        if not self._is_lost(lane):
            return await self._done_in(lane, self._consumers[lane].take(items))
        keeper = next((other for other in range(len(self._consumers)) if not self._is_lost(other)), None)
        if keeper is None:
            return False
        with suppress(*TEMPORARY):
            return await self._done_in(keeper, self._keep(keeper, lane, items))
        return False

    async def _done_in(self, lane: int, work: Coroutine[Any, Any, None]) -> bool:
        """Does `work`. Returns False if `lane` is lost before the work is done. It may still be committed, so
        the work must be safe to repeat."""
        working = asyncio.ensure_future(work)
        try:
            while not self._is_lost(lane):
                done, _ = await asyncio.wait({working}, timeout=LOOK_EVERY_S)
                if done:
                    working.result()
                    return True
            return False
        finally:
            working.cancel()

    async def _keep(self, keeper: int, lane: int, items: Sequence[Received[E] | Unhandled]) -> None:
        """Sets the events of `lane` aside in the lane `keeper`. Unhandled events are parked there instead:
        their reason may be in the headers of the message, which the outbox does not store."""
        await self._consumers[keeper].take([item for item in items if isinstance(item, Unhandled)])
        waiting = [Waiting(lane, item.payload) for item in items if isinstance(item, Received)]
        await self._set_aside[keeper](waiting)

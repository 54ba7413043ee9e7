"""One order's status history as the gateway knows it, and the places of its readers."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from gateway.domain.orders import Change
from kernel.domain.errors import ShopError

# A lost notification costs this much time, give or take half of it; more and more while nothing changes.
READ_AGAIN_FIRST_S = 2.0
READ_AGAIN_MAX_S = 30.0


class WatchedOrder:
    """What is known of an order that somebody watches.

    Its status changes a few times in all, so all changes are kept, and a watch is no more than a place
    among them: however slow its reader is, nothing is buffered for it.
    """

    def __init__(self, order_id: UUID) -> None:
        self.order_id = order_id
        self.changes: dict[int, Change] = {}
        self.news = asyncio.Event()
        self.watches_count = 0
        self.dropped = False
        self.reading: asyncio.Task[ShopError | None] | None = None
        self.read_again_at = float("inf")
        self._read_again_s = READ_AGAIN_FIRST_S

    @property
    def latest(self) -> Change:
        return self.changes[max(self.changes)]

    @property
    def has_gap(self) -> bool:
        return len(self.changes) < self.latest.sequence

    def learn(self, changes: Iterable[Change]) -> bool:
        """Whether any of them was new."""
        new = {change.sequence: change for change in changes if change.sequence not in self.changes}
        if new:
            self.changes |= new
            self._read_again_s = READ_AGAIN_FIRST_S
            self.wake()
        return bool(new)

    def read_again_in(self) -> float:
        """Seconds; four times as many with each call, until something is new."""
        seconds = self._read_again_s
        self._read_again_s = min(READ_AGAIN_MAX_S, 4 * seconds)
        return seconds

    def wake(self) -> None:
        news, self.news = self.news, asyncio.Event()
        news.set()


class Watch:
    """One reader's place in the status history of an order: the number of the last change that it has."""

    def __init__(self, order: WatchedOrder, place: int) -> None:
        self._order = order
        self._place = place if place in order.changes else 0
        self._cancelled = False

    @property
    def latest(self) -> Change:
        """The latest change that is known, wherever the reader is."""
        return self._order.latest

    @property
    def finished(self) -> bool:
        """Whether the reader has the latest change, and no other follows by itself."""
        return self._place == self.latest.sequence and self.latest.final

    @property
    def over(self) -> bool:
        """Whether the reader has to go; unless it is finished it may come back, here or elsewhere."""
        return self.finished or self._cancelled or self._order.dropped

    async def next(self, *, within_s: float) -> Change | None:
        """The change after the last one; None where there is none in time, or this is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.over:
                    if change := self._order.changes.get(self._place + 1):
                        self._place = change.sequence
                        return change
                    await self._order.news.wait()
        return None

    def cancel(self) -> None:
        """The reader is gone."""
        self._cancelled = True
        self._order.wake()

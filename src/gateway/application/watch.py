"""The known status history of a watched order, and the place of each reader in this history."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from gateway.domain.orders import Change
from kernel.domain.errors import ShopError

# The pause before a watched order is read again, varied by up to half of it. A lost notification delays a
# change by this pause. While nothing changes, the pause grows from the first value to the second.
READ_AGAIN_FIRST_S = 2.0
READ_AGAIN_MAX_S = 30.0


class WatchedOrder:
    """The known changes of a watched order. A status changes only a few times, so all changes are kept. A
    watch is only a place among them, so a slow reader needs no buffer."""

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
        """Adds changes. Returns whether any of them was new."""
        new = {change.sequence: change for change in changes if change.sequence not in self.changes}
        if new:
            self.changes |= new
            self._read_again_s = READ_AGAIN_FIRST_S
            self.wake()
        return bool(new)

    def read_again_in(self) -> float:
        """Returns the seconds until the next read. Each call makes the next pause four times as long."""
        seconds = self._read_again_s
        self._read_again_s = min(READ_AGAIN_MAX_S, 4 * seconds)
        return seconds

    def wake(self) -> None:
        news, self.news = self.news, asyncio.Event()
        news.set()


class Watch:
    """One reader's place in the status history of an order: the number of the last change that it got."""

    def __init__(self, order: WatchedOrder, place: int) -> None:
        self._order = order
        self._place = place if place in order.changes else 0
        self._cancelled = False

    @property
    def latest(self) -> Change:
        """The latest known change, whether or not the reader got it."""
        return self._order.latest

    @property
    def finished(self) -> bool:
        """Whether the reader got the latest change, and no further change follows by itself."""
        return self._place == self.latest.sequence and self.latest.final

    @property
    def over(self) -> bool:
        """Whether the watch has ended. A reader that is not finished may begin another watch."""
        return self.finished or self._cancelled or self._order.dropped

    async def next(self, *, within_s: float) -> Change | None:
        """The next change; None when there is none in time, or when the watch is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.over:
                    if change := self._order.changes.get(self._place + 1):
                        self._place = change.sequence
                        return change
                    await self._order.news.wait()
        return None

    def cancel(self) -> None:
        """Ends the watch, because its reader is gone."""
        self._cancelled = True
        self._order.wake()

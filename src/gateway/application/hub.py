"""Gives each watcher of an order every change of the order's status, once and in order."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from gateway.application.places import Places
from gateway.application.watch import Watch, WatchedOrder
from gateway.domain.orders import Change, Placed, no_order
from gateway.ports.orders import OrdersService
from kernel.application.group_commit import GroupCommit
from kernel.domain.caller import Caller
from kernel.domain.errors import OutcomeUnknown, ShopError, Unavailable
from kernel.ports.bus import Notifications
from kernel.ports.clock import Clock

STREAMS_MAX = 5000
# One address cannot take all streams.
STREAMS_PER_ADDRESS_MAX = STREAMS_MAX // 2
WAITS_MAX = 5000
LISTEN_ON_S = 60.0
READ_AFTER_S = 0.2
_TICK_S = 0.5


class Hub:
    """Learns of changes from notifications, and by reading orders from the orders service.

    An order is read when a watch begins, because it may have changed before. It is read again when a
    notification shows a gap or a repeat, and from time to time, because notifications may be lost. An order
    that was just placed is not read at once: its only change is known, and a read would delay the publishing
    of the order. Reads of many orders share calls. Notifications are requested only while an order is
    watched, and for a minute more.
    """

    def __init__(
        self,
        orders: OrdersService,
        notifications: Notifications,
        clock: Clock,
        *,
        streams_max: int = STREAMS_MAX,
        streams_per_address_max: int = STREAMS_PER_ADDRESS_MAX,
        streams_per_user_max: int | None = None,
        waits_max: int = WAITS_MAX,
    ) -> None:
        self._reads = GroupCommit[UUID, Sequence[Change]](orders.changes, clock)
        self._notifications = notifications
        self._clock = clock
        self._listen_until = 0.0
        self._streams = Places(
            streams_max, per_address_max=streams_per_address_max, per_user_max=streams_per_user_max
        )
        self._waits = Places(waits_max)
        self._watched: dict[UUID, WatchedOrder] = {}
        self._stopped = False

    def notify(self, changes: Iterable[Change]) -> None:
        """Adds the changes of a notification to the watched orders. Drops changes of other orders."""
        for change in changes:
            order = self._watched.get(change.order_id)
            if order is not None and (not order.learn([change]) or order.has_gap):
                self._begin_reading(order)

    async def listen(self) -> None:
        """Requests notifications. Call it before an order is placed whose decision a client waits for."""
        self._listen_until = self._clock.monotonic() + LISTEN_ON_S
        await self._notifications.want(True)

    @asynccontextmanager
    async def watch(
        self, caller: Caller, order_id: UUID, *, place: int = 0, address: str = ""
    ) -> AsyncIterator[Watch]:
        """Watches the changes after number `place`. If the order has no change with this number, watches all
        changes.

        Raises NotFound if the order does not exist or is not the caller's. Raises Unavailable if the order
        cannot be read, or if too many streams are open: in all, for this address or for this user.
        """
        with self._streams.one(address, caller.id):
            async with self._watching(order_id) as order:
                await self._read(order)
                if not caller.may_see(order.latest.user_id):
                    raise no_order(order_id)
                yield Watch(order, place)

    async def decided(self, placed: Placed, *, within_s: float) -> Change | None:
        """Waits until an order that was placed as NEW is decided, and returns its latest change. Returns
        None if the order is still undecided after `within_s`.

        The order is read if no notification comes soon, because a notification may have come before. Raises
        Unavailable if too many clients wait already. Open streams do not count as waiting clients.
        """
        with self._waits.one(), suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._watching(placed.order_id) as order:
                order.learn([placed.first_change])
                watch = Watch(order, place=1)
                change = await watch.next(within_s=READ_AFTER_S)
                if change is None and not watch.over:
                    self._begin_reading(order)
                    await watch.next(within_s=within_s)
                return order.latest if order.latest.decided else None
        return None

    async def run(self) -> None:
        """Reads watched orders again when they are due. Ends notifications that are no longer needed."""
        while True:
            await self._clock.sleep(_TICK_S)
            now = self._clock.monotonic()
            if not self._watched and self._listen_until <= now:
                await self._notifications.want(False)
            for order in self._watched.values():
                if order.read_again_at <= now:
                    self._begin_reading(order)

    async def stop(self) -> None:
        """Ends every watch. After this call, new watches are refused."""
        self._stopped = True
        for order in self._watched.values():
            order.dropped = True
            order.wake()

    @asynccontextmanager
    async def _watching(self, order_id: UUID) -> AsyncIterator[WatchedOrder]:
        """Keeps the order watched during the block. Raises Unavailable after `stop`."""
        if self._stopped:
            raise Unavailable("no more orders can be watched here", code="overloaded")
        order = self._watched.setdefault(order_id, WatchedOrder(order_id))
        order.watches_count += 1
        try:
            # Begin to listen before the order is read, or a change after the read could be missed.
            await self.listen()
            yield order
        finally:
            order.watches_count -= 1
            if not order.watches_count:
                del self._watched[order_id]
            self._listen_until = self._clock.monotonic() + LISTEN_ON_S

    async def _read(self, order: WatchedOrder) -> None:
        """Raises NotFound or Unavailable. If this call is cancelled, the read goes on for other callers."""
        error = await asyncio.shield(self._begin_reading(order))
        if error is not None:
            raise error

    def _begin_reading(self, order: WatchedOrder) -> asyncio.Task[ShopError | None]:
        """Starts a read of the order, or returns the one under way, which serves all watches of the order."""
        if order.reading is None:
            order.reading = asyncio.create_task(self._reading(order))
        return order.reading

    async def _reading(self, order: WatchedOrder) -> ShopError | None:
        try:
            changes = await self._reads(order.order_id)
            if not changes:
                return no_order(order.order_id)
            order.learn(changes)
        except (Unavailable, OutcomeUnknown) as error:
            return Unavailable(error.detail)
        finally:
            order.reading = None
            jitter = 0.5 + self._clock.random()
            order.read_again_at = self._clock.monotonic() + jitter * order.read_again_in()
        return None

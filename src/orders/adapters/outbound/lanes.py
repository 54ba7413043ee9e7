"""Reads orders from the lanes that store them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from math import ceil
from operator import attrgetter
from uuid import UUID

from kernel.adapters.lanes.groups import OfLanes, by_lane, of_each
from kernel.domain.errors import Unavailable
from orders.domain.claims import Claim, KnownOrders
from orders.domain.order import Order
from orders.domain.series import Measured
from orders.domain.status import Status, StatusChanged
from orders.domain.verdict import Key
from orders.ports.audit import OrderClaims
from orders.ports.orders import ReadableOrders
from orders.ports.series import MeasuredOrders


class ReadableOrdersOfLanes(OfLanes[ReadableOrders]):
    async def get(self, order_id: UUID) -> Order | None:
        return await self._of_order(order_id).get(order_id)

    async def history(self, order_id: UUID, *, after: int) -> Sequence[StatusChanged]:
        return await self._of_order(order_id).history(order_id, after=after)

    async def status_histories(self, order_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Order] | None]:
        """Returns None for orders of a lane that is away, because watchers of other orders share the call."""
        parts = by_lane(order_ids, self._finder.of_order)
        found = await of_each(parts, self._status_histories)
        return {order_id: history for part in found for order_id, history in part.items()}

    async def _status_histories(
        self, lane: int, order_ids: Sequence[UUID]
    ) -> Mapping[UUID, Sequence[Order] | None]:
        try:
            return await self._lanes[lane].status_histories(order_ids)
        except Unavailable:
            return dict.fromkeys(order_ids)

    async def page(
        self, *, user_id: str | None, status: Status | None, after: UUID | None, limit: int
    ) -> Sequence[Order]:
        """Raises Unavailable if a lane is away, because its orders would be missing."""
        if user_id is not None:
            lane = self._of_user(user_id)
            return await lane.page(user_id=user_id, status=status, after=after, limit=limit)
        asked = (lane.page(user_id=None, status=status, after=after, limit=limit) for lane in self._lanes)
        return list(islice(merge(*await asyncio.gather(*asked), key=attrgetter("id")), limit))


class OrderClaimsOfLanes(OfLanes[OrderClaims]):
    async def count(self) -> int:
        return sum(await asyncio.gather(*(lane.count() for lane in self._lanes)))

    async def page(self, after: Key | None, *, settled: datetime, count_max: int) -> Sequence[Claim]:
        asked = (lane.page(after, settled=settled, count_max=count_max) for lane in self._lanes)
        return list(islice(merge(*await asyncio.gather(*asked), key=attrgetter("key")), count_max))

    async def known(self, keys: Sequence[Key]) -> KnownOrders:
        """Asks all lanes for waiting events, because an event may be set aside in any lane. Reads the orders
        afterwards, because an event that is handed back in between changes its order."""
        everywhere = await asyncio.gather(*(lane.known(keys) for lane in self._lanes))
        parts = by_lane(keys, lambda key: self._finder.of_order(key[1]))
        found = await of_each(parts, lambda lane, part: self._lanes[lane].known(part))
        return KnownOrders(
            {key: order for one in found for key, order in one.orders.items()},
            {id for one in (*everywhere, *found) for id in one.waiting},
            min(one.now for one in found),
        )


class MeasuredOrdersOfLanes(OfLanes[MeasuredOrders]):
    async def measure(self, start: datetime, end: datetime, *, sample_max: int) -> Measured:
        """Samples each lane in proportion to its number of orders, so that all orders count alike."""
        counted = await asyncio.gather(*(lane.measure(start, end, sample_max=1) for lane in self._lanes))
        orders = sum(one.orders for one in counted) or 1
        found = await asyncio.gather(
            *(
                lane.measure(start, end, sample_max=ceil(sample_max * one.orders / orders))
                for lane, one in zip(self._lanes, counted, strict=True)
                if one.orders
            )
        )
        return Measured(
            sum(one.orders for one in found),
            sum(one.sampled for one in found),
            [seconds for one in found for seconds in one.seconds],
        )

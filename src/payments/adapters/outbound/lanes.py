"""Reads accounts and claims from the lanes that store them."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from heapq import merge
from itertools import chain, islice
from uuid import UUID

from kernel.adapters.lanes.groups import OfLanes, by_lane, of_each
from payments.domain.account import Account, Standing
from payments.domain.claims import Claim, Key, KnownPayment
from payments.domain.payment import Payment
from payments.domain.transfer import Transfer
from payments.ports.accounts import Decisions, OpenedAccounts, Statements
from payments.ports.claims import Claims


class OpenedAccountsOfLanes(OfLanes[OpenedAccounts]):
    async def find(self, user_ids: Set[str]) -> Mapping[str, Account]:
        parts = by_lane(user_ids, self._finder.of_user)
        found = await of_each(parts, lambda lane, users: self._lanes[lane].find(set(users)))
        return {user_id: account for part in found for user_id, account in part.items()}

    async def standings(self, user_ids: Set[str]) -> Mapping[str, Standing]:
        parts = by_lane(user_ids, self._finder.of_user)
        found = await of_each(parts, lambda lane, users: self._lanes[lane].standings(set(users)))
        return {user_id: standing for part in found for user_id, standing in part.items()}


class StatementsOfLanes(OfLanes[Statements]):
    async def page(self, user_id: str, *, after: int | None, limit: int) -> Sequence[Transfer]:
        return await self._of_user(user_id).page(user_id, after=after, limit=limit)

    async def balance(self, account: Account, at: datetime) -> int:
        return await self._of_user(account.user_id).balance(account, at)


class DecisionsOfLanes(OfLanes[Decisions]):
    async def about(self, order_id: UUID) -> tuple[Payment | None, Sequence[Transfer]]:
        return await self._of_order(order_id).about(order_id)


class ClaimsOfLanes(OfLanes[Claims]):
    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        asked = (lane.page(after, until, count_max=count_max) for lane in self._lanes)
        return list(islice(merge(*await asyncio.gather(*asked)), count_max))

    async def known(self, keys: Sequence[Key]) -> Sequence[KnownPayment]:
        """Asks all lanes for waiting events, because an event may be set aside in any lane. Reads the
        decisions afterwards, so an event that is handed back in between has its decision by then."""
        everywhere = await asyncio.gather(*(lane.known(keys) for lane in self._lanes))
        waiting = {one.order_id for one in chain.from_iterable(everywhere) if one.waiting}
        parts = by_lane(keys, lambda key: self._finder.of_user(key[0]))
        found = await of_each(parts, lambda lane, part: self._lanes[lane].known(part))
        return [
            replace(one, waiting=one.waiting or one.order_id in waiting) for one in chain.from_iterable(found)
        ]

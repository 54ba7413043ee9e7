"""A random load of orders whose outcome is known to the cent."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import aiohttp

from tests.servers.process import eventually
from tests.spec.scenario import expect, money, together
from tests.spec.store import Store

AMOUNT_MEAN = 10
# A list of orders holds this many without paging.
LISTED_MAX = 100


@dataclass
class Load:
    """Concurrent clients, half of whose orders are on accounts of their own, half on shared ones.

    The accounts hold less than the orders ask for, so some must be refused or cancelled. Each order has a
    unique description, its tag.
    """

    store: Store
    seed: str
    clients: int
    orders_per_client: int
    shared_accounts: int
    expects_faults: bool = False
    funds: dict[str, Decimal] = field(default_factory=dict)
    """What was deposited, by user."""
    accepted: dict[str, Any] = field(default_factory=dict)
    """Orders that were answered 201, by tag."""
    refused: set[str] = field(default_factory=set)
    """Tags that were answered with a refusal: nothing happened."""
    unknown: set[str] = field(default_factory=set)
    """Tags whose answer was lost: they happened, or not."""

    @property
    def answered(self) -> int:
        return len(self.accepted) + len(self.refused) + len(self.unknown)

    @property
    def size(self) -> int:
        return self.clients * self.orders_per_client

    async def run(self) -> None:
        half = self.size // 2
        shared = await self._open(self.shared_accounts, half // self.shared_accounts)
        own = await self._open(self.clients, half // self.clients)
        async with asyncio.timeout(120):
            await together(*(self._client(number, user, shared) for number, user in enumerate(own)))

    async def _open(self, count: int, orders: int) -> list[str]:
        """Accounts with two thirds of what so many orders are likely to cost."""
        funds = Decimal(orders * AMOUNT_MEAN * 2 // 3)
        users = await together(*(self.store.open_account(funds=str(funds)) for _ in range(count)))
        self.funds |= dict.fromkeys(users, funds)
        return users

    async def _client(self, number: int, own: str, shared: list[str]) -> None:
        dice = Random(f"{self.seed} {number}")
        for count in range(self.orders_per_client):
            user = own if count % 2 else dice.choice(shared)
            await self._place(user, Decimal(dice.randint(1, AMOUNT_MEAN * 200)) / 100, f"{number}-{count}")
            if not self.expects_faults and count % 20 == 0:
                extra = Decimal(dice.randint(1, 500)) / 100
                await self.store.deposit(user, extra)
                self.funds[user] += extra

    async def _place(self, user: str, amount: Decimal, tag: str) -> None:
        """Places the order; asks again only where surely nothing happened."""
        while True:
            try:
                answer = await self.store.order(user, amount, tag)
            except aiohttp.ClientConnectorError:  # nobody listens, so nothing was sent
                assert self.expects_faults
            except (aiohttp.ClientError, TimeoutError):
                assert self.expects_faults
                self.unknown.add(tag)
                return
            else:
                assert answer.status in ((201, 402, 503, 504) if self.expects_faults else (201, 402)), answer
                if answer.status == 201:
                    self.accepted[tag] = answer.json
                elif answer.status == 402:
                    self.refused.add(tag)
                elif answer.status == 504:
                    assert answer.json["code"] == "outcome_unknown"
                    self.unknown.add(tag)
                if answer.status != 503:
                    return
                assert int(answer.headers["Retry-After"]) >= 0
            await asyncio.sleep(0.1)

    async def comes_out_even(self, *, within: float) -> None:
        """Every accepted order is decided, and each balance is its deposits less its finished orders."""

        async def all_decided() -> bool:
            undecided = await together(*(self.store.orders_of(user, status="NEW") for user in self.funds))
            assert not any(undecided), f"{sum(map(len, undecided))} or more orders are still NEW"
            return True

        await eventually(all_decided, within=within, every=0.2)
        orders = [*await self._orders_accepted(), *await self._orders_of_unknown_outcome()]
        assert Counter(order["status"] for order in orders).keys() <= {"FINISHED", "CANCELLED"}
        paid: defaultdict[str, Decimal] = defaultdict(Decimal)
        for order in orders:
            if order["status"] == "FINISHED":
                paid[order["userId"]] += money(order["amount"])
            else:
                assert order["reason"] == "insufficient_funds"
        balances = dict(
            zip(self.funds, await together(*(self.store.balance(user) for user in self.funds)), strict=True)
        )
        off = {user: balances[user] - (funds - paid[user]) for user, funds in self.funds.items()}
        assert not any(off.values()), {user: str(cents) for user, cents in off.items() if cents}
        assert min(balances.values()) >= 0
        assert paid, "nobody paid anything"
        assert self.refused or any(order["status"] == "CANCELLED" for order in orders)

    async def _orders_accepted(self) -> list[Any]:
        """The orders that were answered 201, as they are now; each is the same but for its outcome."""
        permits = asyncio.Semaphore(self.clients)

        async def now(placed: Any) -> Any:
            async with permits:
                order = expect(200, await self.store.http.get(self.store.order_url(placed["id"])))
            outcome = {name: placed[name] for name in ("status", "reason", "updatedAt")}
            assert order | outcome == placed
            return order

        return await together(*map(now, self.accepted.values()))

    async def _orders_of_unknown_outcome(self) -> list[Any]:
        """Orders that are stored although their answer was lost; nothing else is, and nothing twice."""
        if not self.expects_faults:
            assert not self.unknown
            return []
        lists = await together(*(self.store.orders_of(user) for user in self.funds))
        assert max(map(len, lists)) < LISTED_MAX, "the load does not fit into unpaged lists"
        stored = [order for orders in lists for order in orders]
        tags = Counter(order["description"] for order in stored)
        assert set(tags.values()) == {1}, f"stored twice: {[tag for tag in tags if tags[tag] > 1]}"
        assert self.accepted.keys() <= tags.keys() <= self.accepted.keys() | self.unknown
        return [order for order in stored if order["description"] in self.unknown]

"""Clients that write and read all the time, and record what is lost, doubled, outdated or late."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import aiohttp

from tests.servers.process import eventually

KINDS = ("deposit", "balance", "order", "order read")
ANSWERS_WITHIN_S = 15
SERVED_WITHIN_S = 30
READERS = 2
PAUSE_S = 0.03
CENT = Decimal("0.01")
# The result of `_ask` if the connection broke.
LOST = -1
NOT_DONE, NOT_KNOWN = (503,), (504, LOST)


@dataclass
class Steady:
    """Sends orders, and deposits of different amounts without a key, to a gateway. `faults` must stay
    empty."""

    gateway: str
    headers: Mapping[str, str] = field(default_factory=dict)
    user: str = field(default_factory=lambda: f"steady-{uuid4()}")
    buyer: str = field(default_factory=lambda: f"buyer-{uuid4()}")
    faults: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    """The longest time without an answer to a call of one kind."""

    def __post_init__(self) -> None:
        self._stopped = asyncio.Event()
        self._answers: Counter[str] = Counter()
        self._refused = 0
        self._answered_at: dict[str, float] = {}
        self._sure: list[Decimal] = []
        self._unsure: list[Decimal] = []
        self._placed: list[str] = []
        self._perhaps_placed = 0

    def stop(self) -> None:
        self._stopped.set()

    async def served(self, times: int = 1) -> None:
        """Waits until calls of each kind have been answered `times` more times."""
        wanted = self._answers + Counter(dict.fromkeys(KINDS, times))
        await eventually(lambda: self._answers >= wanted, within=SERVED_WITHIN_S)

    async def run(self) -> None:
        """Sends calls until `stop`. Then compares the answers with the stored data, and returns."""
        timeout = aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S)
        async with aiohttp.ClientSession(
            self.gateway, timeout=timeout, headers=self.headers
        ) as self._session:
            for user in (self.user, self.buyer):
                await self._until_done("POST", "/accounts", {"userId": user})
            await self._until_done("POST", f"/accounts/{self.buyer}/deposit", {"amount": 1_000_000})
            acts = [
                self._deposit,
                self._order,
                *[self._read_balance] * READERS,
                *[self._read_order] * READERS,
            ]
            await asyncio.gather(*map(self._repeat, acts))
            await self._compare()

    async def _repeat(self, act: Callable[[], Awaitable[None]]) -> None:
        while not self._stopped.is_set():
            await act()
            await asyncio.sleep(PAUSE_S)

    async def _deposit(self) -> None:
        amount = CENT * (1 + len(self._sure) + len(self._unsure) + self._refused)
        status, answer = await self._ask("POST", f"/accounts/{self.user}/deposit", {"amount": str(amount)})
        if status == 200:
            self._sure.append(amount)
            self._note("deposit")
        elif status in NOT_KNOWN:
            self._unsure.append(amount)
        else:
            self._refused += 1
            self._expect_not_done("a deposit", status, answer)

    async def _read_balance(self) -> None:
        at_least = sum(self._sure)
        status, answer = await self._ask("GET", f"/accounts/{self.user}")
        if status == 200:
            self._note("balance")
            if answer["balance"] < at_least:
                self.faults.append(f"an old balance: {answer['balance']}, after {at_least} was answered")
        else:
            self._expect_not_done("a balance", status, answer)

    async def _order(self) -> None:
        status, answer = await self._ask("POST", "/orders", {"userId": self.buyer, "amount": 1})
        if status == 201:
            self._placed.append(answer["id"])
            self._note("order")
        elif status in NOT_KNOWN:
            self._perhaps_placed += 1
        else:
            self._expect_not_done("an order", status, answer)

    async def _read_order(self) -> None:
        if not self._placed:
            return
        status, answer = await self._ask("GET", f"/orders/{self._placed[-1]}")
        if status == 200:
            self._note("order read")
        else:
            self._expect_not_done("an order that was accepted", status, answer)

    def _note(self, kind: str) -> None:
        now = time.monotonic()
        self.longest_s = max(self.longest_s, now - self._answered_at.get(kind, now))
        self._answered_at[kind] = now
        self._answers[kind] += 1

    def _expect_not_done(self, what: str, status: int, answer: Any) -> None:
        if status not in (*NOT_DONE, *NOT_KNOWN):
            self.faults.append(f"{what} was answered {status} {answer}")

    async def _compare(self) -> None:
        """Waits until every order is decided, then compares the stored data with the answers."""
        transfers = await self._all(f"/accounts/{self.user}/transactions?limit=500")
        amounts = Counter(abs(Decimal(row["amount"])) for row in transfers)
        for amount in self._sure:
            if amounts[amount] != 1:
                self.faults.append(
                    f"a deposit of {amount} was answered, and is stored {amounts[amount]} times"
                )
        for amount in amounts.keys() - set(self._sure):
            if amounts[amount] != 1 or amount not in self._unsure:
                self.faults.append(f"nobody deposited {amount}, or it is stored {amounts[amount]} times")
        stored = Counter(row["id"] for row in await self._all(f"/orders?userId={self.buyer}&limit=500"))
        for id in self._placed:
            if stored[id] != 1:
                self.faults.append(f"the order {id} was accepted, and is stored {stored[id]} times")
        others = stored.keys() - set(self._placed)
        if len(others) > self._perhaps_placed:
            self.faults.append(f"of the orders {others} only {self._perhaps_placed} may have been placed")

    async def _all(self, path: str | None) -> list[dict[str, Any]]:
        """The rows of all pages of a list."""
        rows: list[dict[str, Any]] = []
        while path:
            async with self._session.get(path, raise_for_status=True) as answer:
                rows += json.loads(await answer.read(), parse_float=Decimal)
                following = answer.links.get("next")
            path = str(following["url"].relative()) if following else None
        return rows

    async def _until_done(self, method: str, path: str, wish: Any) -> None:
        while (found := await self._ask(method, path, wish))[0] not in (200, 201, 409):
            if found[0] not in (*NOT_DONE, *NOT_KNOWN):
                raise AssertionError(f"{method} {path} was answered {found}")
            await asyncio.sleep(0.1)

    async def _ask(self, method: str, path: str, wish: Any = None) -> tuple[int, Any]:
        data = None if wish is None else json.dumps(wish)
        headers = {"Content-Type": "application/json"} if data else None
        try:
            async with self._session.request(method, path, data=data, headers=headers) as answer:
                return answer.status, json.loads(await answer.read(), parse_float=Decimal, parse_int=Decimal)
        except (aiohttp.ClientError, TimeoutError) as error:
            return LOST, repr(error)

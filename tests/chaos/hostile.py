"""A hostile client: it leaves requests unfinished and answers unread, and sends invalid HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

from kernel.domain.caller import Role
from tests.chaos.shop import ChaosShop
from tests.servers.raw import Raw, connected, request

CONNECTIONS_COUNT = 24
HELD_S_MAX = 3.0
FLOODS_S_MAX = 0.5
PAUSE_S_MAX = 0.5
CLOSED_ANYWAY = (OSError, EOFError, TimeoutError, AssertionError)

_POST = ("Content-Type: application/json", "Content-Length: 900000")


class Hostile:
    """A hostile client. Its requests are reads or unfinished, so they may store nothing.

    It has an operator's token; without one, its requests would be refused before they cost anything.
    """

    def __init__(self, shop: ChaosShop, seed: str) -> None:
        self.acts = 0
        self._gateway = shop.gateway
        self._token = f"Authorization: Bearer {shop.keys.token('hostile', Role.OPERATOR)}"
        self._dice = Random(f"{seed} hostile")

    async def run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(CONNECTIONS_COUNT)))

    async def _client(self) -> None:
        while True:
            act = self._dice.choice(ACTS)
            with suppress(*CLOSED_ANYWAY):
                async with connected(self._gateway) as raw:
                    await act(self, raw)
            self.acts += 1
            await asyncio.sleep(self._dice.random() * PAUSE_S_MAX)

    async def _hold(self, raw: Raw, sent: bytes) -> None:
        await raw.send(sent)
        await asyncio.sleep(self._dice.random() * HELD_S_MAX)

    async def _unfinished_head(self, raw: Raw) -> None:
        await self._hold(raw, request("/orders", *_POST, self._token)[: self._dice.randrange(1, 80)])

    async def _unfinished_body(self, raw: Raw) -> None:
        body = b'[{"userId": "hostile", "amount": 1},' + b" " * self._dice.randrange(800_000)
        await self._hold(raw, request("/orders/batch", *_POST, self._token, method="POST") + body)

    async def _unread_answers(self, raw: Raw) -> None:
        await self._flood(raw, request("/orders?limit=500", self._token) * 100)
        await asyncio.sleep(self._dice.random() * HELD_S_MAX)

    async def _garbage(self, raw: Raw) -> None:
        await self._flood(raw, self._dice.randbytes(50_000))

    async def _endless_head(self, raw: Raw) -> None:
        await self._flood(raw, b"GET / HTTP/1.1\r\nHost: shop\r\n" + b"X: y\r\n" * 5000)

    async def _flood(self, raw: Raw, data: bytes) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._dice.random() * FLOODS_S_MAX):
                while True:
                    await raw.send(data)


Act = Callable[[Hostile, Raw], Awaitable[None]]
ACTS: tuple[Act, ...] = (
    Hostile._unfinished_head, Hostile._unfinished_body, Hostile._unread_answers, Hostile._garbage,
    Hostile._endless_head,
)  # fmt: skip

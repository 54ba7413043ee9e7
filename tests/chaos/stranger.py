"""A user with a valid token who tries, during the faults, to read and change data of other users."""

import asyncio
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import aiohttp

from tests.chaos.history import History
from tests.chaos.shop import ChaosShop

STRANGERS_COUNT = 4
ANSWERS_WITHIN_S = 15
PAUSE_S_MAX = 0.2
# The answers of a gateway or a service that cannot tell now.
NOBODY_CAN_TELL = (502, 503, 504)
_JSON = {"Content-Type": "application/json"}


class Stranger:
    """Every answer that does not refuse is a violation; so is one that names anybody's order or balance."""

    def __init__(self, shop: ChaosShop, seed: str, history: History) -> None:
        self.refused = 0
        self._gateway = shop.gateway
        self._headers = dict(shop.keys.headers("stranger"))
        self._history = history
        self._dice = Random(f"{seed} stranger")

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S)
        async with aiohttp.ClientSession(self._gateway, timeout=timeout) as session:
            await asyncio.gather(*(self._try_all(session) for _ in range(STRANGERS_COUNT)))

    async def _try_all(self, session: aiohttp.ClientSession) -> None:
        while True:
            for method, path, body, allowed in self._tries():
                await self._try(session, method, path, body, allowed)
            await asyncio.sleep(self._dice.random() * PAUSE_S_MAX)

    def _tries(self) -> Iterator[tuple[str, str, Any, int]]:
        """Yields forbidden calls, each with the status that must refuse it."""
        users = sorted(self._history.accounts)
        if users:
            user = self._dice.choice(users)
            yield "GET", f"/accounts/{user}", None, 404
            yield "GET", f"/accounts/{user}/transactions", None, 404
            yield "GET", f"/accounts/{user}/deposit?amount=1", None, 404
            yield "POST", f"/accounts/{user}/deposit", {"amount": 1}, 404
            yield "POST", "/orders", {"userId": user, "amount": 1}, 403
            yield "GET", f"/orders?userId={user}", None, 403
        ids = [order.id for order in self._history.orders.values() if order.id]
        if ids:
            order_id = self._dice.choice(ids)
            yield "GET", f"/orders/{order_id}", None, 404
            yield "GET", f"/orders/{order_id}/history", None, 404
            yield "GET", f"/orders/{order_id}/events", None, 404
            yield "POST", f"/orders/{order_id}/cancel", None, 404

    async def _try(
        self, session: aiohttp.ClientSession, method: str, path: str, body: Any, allowed: int
    ) -> None:
        headers = self._headers | ({} if body is None else _JSON)
        data = None if body is None else json.dumps(body)
        try:
            async with session.request(method, path, data=data, headers=headers) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            return
        if status == allowed:
            self.refused += 1
        elif status not in NOBODY_CAN_TELL:
            self._history.violates(f"a stranger was answered {status} to {method} {path}")

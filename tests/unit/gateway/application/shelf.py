"""An orders service that keeps what it was sent, and how clients place orders there."""

import json
from typing import Any
from uuid import UUID

from aiohttp import web

from tests.spec.scenario import Answer, Headers
from tests.unit.gateway.conftest import Gateway
from tests.unit.gateway.stub import hanging_up, problem

Item = dict[str, Any]


class Shelf:
    """An orders service: one order for each user and key, and a refusal of users called poor."""

    def __init__(self) -> None:
        self.orders: dict[tuple[str, str], Item] = {}
        self.fails_at = ""
        self.loses_answers = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        items = json.loads(await request.read())
        if self.fails_at in {item.get("description", "") for item in items} - {""}:
            return web.json_response(status=500)
        outcomes = [self._outcome(item) for item in items]
        if self.loses_answers:
            self.loses_answers -= 1
            return await hanging_up(request)
        return web.json_response(outcomes)

    def _outcome(self, item: Item) -> Item:
        if item["userId"] == "poor":
            return {"status": 402, "problem": problem(402, "insufficient_funds", "/api/Order")}
        key = (item["userId"], item["idempotencyKey"])
        replayed = key in self.orders
        order_id = str(UUID(int=len(self.orders)))
        order = self.orders.setdefault(
            key, {"id": order_id, "status": "NEW", "description": item.get("description", "")}
        )
        return {"status": 201, "order": order, "replayed": replayed}


async def place(shop: Gateway, user: str = "alice", description: str = "", headers: Headers = ()) -> Answer:
    wish = {"userId": user, "amount": 1, "description": description}
    return await shop.http.post(f"{shop.url}/orders", wish, headers)

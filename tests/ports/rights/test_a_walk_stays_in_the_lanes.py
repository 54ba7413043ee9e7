"""Whatever a shop does, it does within the schemas of its lanes, with the rights that are given there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from kernel.adapters.lanes.lane import LaneFinder
from kernel.adapters.postgres.connections.urls import in_schema
from kernel.adapters.postgres.migrating.rights import give_rights
from shop.audit.auditing import audit
from shop.migrating import migrate_databases
from shop.services import Shop, load_shop
from shop.serving import answers, serve_all, url_of
from tests.ports.rights.conftest import Roles, two_roles
from tests.ports.rights.trying import OUTSIDE
from tests.ports.start.databases import SCHEMAS
from tests.servers.ports import free_port
from tests.servers.process import eventually
from tests.servers.shop import SERVICES


class Walked:
    """A shop of two lanes. Each is a database of its own, where the role of the service has its rights in
    the lane's schema and nowhere else."""

    def __init__(self, shop: Shop, session: aiohttp.ClientSession) -> None:
        self.shop = shop
        self._session = session

    async def get(self, path: str, service: str = "gateway") -> Any:
        return await self._answer("GET", url_of(self.shop, service) + path, None)

    async def post(self, path: str, body: Any = None) -> Any:
        return await self._answer("POST", url_of(self.shop, "gateway") + path, body)

    async def _answer(self, method: str, url: str, body: Any) -> Any:
        headers = {"Idempotency-Key": f"{uuid4()}"} if url.endswith("/correct") else {}
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            assert answer.ok, f"{method} {url}: {await answer.text()}"
            return await answer.json(content_type=None) if "json" in answer.content_type else None

    async def reaches(self, order: str, *statuses: str) -> None:
        async def reached() -> bool:
            return (await self.get(f"/orders/{order}"))["status"] in statuses

        await eventually(reached)

    async def done(self, path: str) -> None:
        async def done() -> bool:
            answer = await self.get(path)
            return answer.get("run", answer)["state"] in ("done", "sound")

        await eventually(done)


@pytest.fixture
async def roles(postgres_server: str) -> AsyncIterator[dict[str, list[Roles]]]:
    """By service, those of the lanes."""
    async with AsyncExitStack() as stack:
        found = {
            service: [
                await stack.enter_async_context(two_roles(postgres_server, service, f"{service}_in_{lane}"))
                for lane in range(2)
            ]
            for service in SCHEMAS
        }
        owners = in_lanes({service: [one.owner_url for one in lanes] for service, lanes in found.items()})
        await migrate_databases(owners, tuple(SCHEMAS))
        for service, lanes in found.items():
            for lane, one in enumerate(lanes):
                owner, role = (in_schema(url, f"lane_{lane:03}") for url in (one.owner_url, one.url))
                await give_rights(owner, role, SCHEMAS[service])
        yield found


def in_lanes(urls: dict[str, list[str]]) -> Shop:
    """Each lane of a service at a URL of its own."""
    settings = {f"{service.upper()}_PORT": str(free_port()) for service in SERVICES}
    for service, of_lanes in urls.items():
        parts = (f"{lane}={url}" for lane, url in enumerate(of_lanes))
        settings[f"{service.upper()}_LANE_URLS"] = ";".join(parts)
    return load_shop({"SHOP_LANES": "2", **settings})


@pytest.fixture
async def walked(roles: dict[str, list[Roles]], refused: list[str]) -> AsyncIterator[Walked]:
    shop = in_lanes({service: [one.url for one in lanes] for service, lanes in roles.items()})
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as session:
        group.create_task(serve_all(shop, stop))
        await eventually(partial(answers, url_of(shop, "gateway")))
        yield Walked(shop, session)
        stop.set()


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server refused to the services, background jobs included."""
    found: list[str] = []
    fetch = asyncpg.Connection.fetch

    async def watched(connection: asyncpg.Connection, query: str, *args: Any, **options: Any) -> Any:
        try:
            return await fetch(connection, query, *args, **options)
        except OUTSIDE as error:
            found.append(f"{error}: {query}")
            raise

    monkeypatch.setattr(asyncpg.Connection, "fetch", watched)
    return found


PARKED = """
INSERT INTO {schema}.parked_messages
    (type, subject, reason, detail, payload, count, first_parked_at, last_parked_at, dead_letter)
VALUES ('shop.orders.order-placed.v1', $1, 'unreadable', '', 'garbage', 1, now(), now(), false)
"""


async def test_whatever_clients_and_operators_do_stays_in_the_lanes(
    walked: Walked, refused: list[str], roles: dict[str, list[Roles]]
) -> None:
    note = {"note": "a walk"}
    users = {LaneFinder(2).of_user(user): user for user in ("ann", "bob", "cyd", "dan", "eve")}
    assert len(users) == 2
    for user in users.values():
        await walked.post("/accounts", {"userId": user})
        await walked.post(f"/accounts/{user}/deposit", {"amount": 50})
        wish = {"userId": user, "amount": 10, "idempotencyKey": "a"}
        [first, _] = await walked.post("/orders/batch", [wish, {"userId": user, "amount": 2}])
        await walked.post("/orders/batch", [wish])
        order = first["order"]["id"]
        await walked.reaches(order, "FINISHED")
        await walked.get(f"/orders?userId={user}&status=FINISHED")
        await walked.get(f"/orders/{order}/history")
        await walked.get(f"/accounts/{user}")
        await walked.get(f"/accounts/{user}/transactions")
        await walked.get(f"/ops/orders/{order}")
        await walked.post(f"/orders/{order}/cancel")
        await walked.reaches(order, "REFUNDED")
        second = (await walked.post("/orders", {"userId": user, "amount": 1}))["id"]
        await walked.post(f"/ops/orders/{second}/cancel", note)
        await walked.reaches(second, "CANCELLED", "REFUNDED")
        await walked.post(f"/ops/accounts/{user}/freeze", note)
        await walked.post(f"/ops/accounts/{user}/unfreeze", note)
        await walked.post(f"/ops/accounts/{user}/correct", {"amount": "-1.00", **note})
    for path in ("/orders", "/orders?status=FINISHED", "/ops/overview", "/ops/record", "/ops/consumers"):
        await walked.get(path)
    for service in SERVICES:
        await walked.get("/metrics", service)
    await walked.get("/ops/series", "orders")
    for act in ("pause", "resume"):
        await walked.post(f"/ops/consumers/payments/{act}", note if act == "pause" else None)
    await walked.post("/ops/audit")
    await walked.done("/ops/audit")

    payments = roles["payments"][0].superuser
    for subject in ("one", "two"):
        await payments.execute(PARKED.format(schema="lane_000"), subject)
    [group] = (await walked.get("/ops/parked/groups"))["groups"]
    await walked.post(f"/ops/parked/groups/{group['id']}/hold", {"owner": "ada", **note})
    await walked.post(f"/ops/parked/groups/{group['id']}/release")
    messages = (await walked.get("/ops/parked"))["messages"]
    for message, act in zip(messages, ("replay", "discard"), strict=True):
        body = note if act == "discard" else None
        begun = await walked.post(f"/ops/parked/{message['id']}/{act}", body)
        await walked.done(f"/ops/operations/{begun['id']}")
    found = await audit(walked.shop)
    assert found.sound, found
    assert refused == []

"""The audit of a shop in trouble: it finds what is wrong, and is begun again where its process died."""

from typing import Any
from uuid import UUID

import pytest

from kernel.adapters.lanes.lane import LaneFinder
from kernel.adapters.system_clock import SystemClock
from tests.servers.database import connected
from tests.servers.ports import free_port
from tests.servers.process import eventually
from tests.servers.shop import LANES, ThreeServices, schema_of
from tests.spec.operators.test_operators_see_the_shop import audited
from tests.spec.scenario import Http, expect, expect_problem
from tests.spec.store import Store

ORDER = """
INSERT INTO orders (user_id, id, amount, currency, description, status, created_at, updated_at)
VALUES ('forged', $1, 100, 'RUB', '', 'FINISHED', now() - interval '1 hour', now() - interval '1 hour')
"""


@pytest.fixture
def gateway(http: Http, three_services: ThreeServices) -> Store:
    return Store.at_the_gateway(http, three_services)


async def latest(http: Http, base: str) -> Any:
    return expect(200, await http.get(f"{base}/ops/audit"))["run"]


async def run_out(shop: ThreeServices, run_id: str) -> None:
    """Lets the lease of the run end, which nobody renews any more."""
    async with connected(shop.databases["orders"].url, search_path=schema_of()) as database:
        ended = await database.execute(
            "UPDATE audit_runs SET lease_until = now() WHERE id = $1 AND state = 'running'", UUID(run_id)
        )
    assert ended == "UPDATE 1"


async def unknown(http: Http, shop: ThreeServices) -> list[str]:
    found: list[str] = expect(200, await http.get(f"{shop.gateway}/ops/overview"))["unknown"]
    return found


async def test_an_order_that_nobody_paid_is_found(three_services: ThreeServices, gateway: Store) -> None:
    order = LaneFinder(LANES).order_id("forged", UUID(bytes=SystemClock().new_id().bytes))
    url = three_services.databases["orders"].url
    async with connected(url, search_path=schema_of("forged")) as database:
        await database.execute(ORDER, order)
        try:
            run = await audited(gateway)
        finally:
            await database.execute("DELETE FROM orders WHERE user_id = 'forged'")
    assert run["state"] == "unsound"
    about = [fault for fault in run["faults"] if fault["subject"] == f"order {order} of forged"]
    assert [(fault["check"], fault["kind"]) for fault in about] == [
        ("histories", "history_missing"),
        ("orders", "finished_not_captured"),
    ]


async def test_a_run_that_lost_its_process_is_begun_again_by_another_one(
    three_services: ThreeServices, http: Http
) -> None:
    shop, port = three_services, free_port()
    other = f"http://127.0.0.1:{port}"
    replica = shop.serve("orders", ready_at=[other], ORDERS_PORT=str(port))
    await replica.start()
    async with shop.without("payments"):
        # The run waits for payments.
        lost = expect(202, await http.post(f"{other}/ops/audit"))["run"]
        for base in (shop.gateway, shop.orders, other):
            expect_problem(await http.post(f"{base}/ops/audit"), 409, code="audit_running")
            assert (await latest(http, base))["id"] == lost["id"]
        assert await unknown(http, shop) == ["payments"]
        replica.kill()
        assert (await latest(http, shop.gateway))["state"] == "running"
        await run_out(shop, lost["id"])
        assert (await latest(http, shop.gateway))["state"] == "died"
        begun = expect(202, await http.post(f"{shop.gateway}/ops/audit"))["run"]
        assert begun["number"] == lost["number"] + 1

    async def is_sound() -> bool:
        return (await latest(http, shop.gateway))["state"] == "sound"

    await eventually(is_sound, within=60, every=0.2)
    assert await unknown(http, shop) == []

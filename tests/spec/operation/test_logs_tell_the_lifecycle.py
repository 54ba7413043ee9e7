"""At INFO a service logs its lifecycle, at DEBUG also what it does; libraries log nothing at either."""

import json
from pathlib import Path

import aiohttp

from tests.servers.ports import free_port
from tests.servers.process import Process
from tests.servers.shop import Embedded


async def test_a_service_tells_that_it_listens_stops_and_has_stopped(scratch: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    settings = {
        "GATEWAY_PORT": url.rpartition(":")[2],
        "LOG_LEVEL": "debug",
        "ORDERS_URL": "http://localhost:9",
    }
    service = Process("serve", "gateway", settings=settings, logs=scratch / "lifecycle", ready_at=[url])
    try:
        await service.start()
        async with aiohttp.ClientSession() as session, session.get(f"{url}/orders") as answer:
            assert answer.status == 503
    finally:
        await service.terminate()
    lines = [json.loads(line) for line in service.stderr.splitlines()]
    lifecycle = [line for line in lines if line["event"] in ("listening", "stopping", "stopped")]
    assert [line["event"] for line in lifecycle] == ["listening", "stopping", "stopped"]
    assert (lifecycle[0]["address"], lifecycle[0]["orders"]) == (url.removeprefix("http://"), "localhost:9")
    assert "/orders" in [line.get("route") for line in lines]
    assert {line["logger"].partition(".")[0] for line in lines} <= {"kernel", "gateway", "shop"}


async def test_the_whole_shop_tells_of_each_of_its_services(embedded: Embedded) -> None:
    lines = [json.loads(line) for line in embedded.up.stderr.splitlines()]
    listening = {line["service"]: line for line in lines if line["event"] == "listening"}
    assert listening.keys() == {"payments", "orders", "gateway"}
    assert listening["orders"]["database"].startswith("127.0.0.1:")
    assert "shop:" not in embedded.up.stderr

"""METRICS_PORT: figures without a token for the inner network, and nothing else."""

import asyncio

import pytest

from kernel.settings import SettingsError
from shop.services import load_shop
from shop.serving import open_shop, serve, url_of
from tests.servers.ports import free_port
from tests.servers.process import answers_ready, eventually
from tests.servers.shop import SERVICES
from tests.spec.scenario import Http, expect_problem
from tests.spec.security.conftest import Guarded


@pytest.mark.parametrize("service", SERVICES)
async def test_each_service_of_one_process_has_a_path_there_and_asks_for_a_token_at_its_own_port(
    guarded: Guarded, service: str
) -> None:
    expect_problem(await guarded.ask(None, "GET", f"{guarded.urls[service]}/metrics"), 401)
    told = await guarded.ask(None, "GET", f"{guarded.metrics}/{service}")
    assert (told.status, told.headers["Content-Type"]) == (200, "text/plain; version=1.0.0; charset=utf-8")
    assert b"shop_http_request_seconds_count" in told.body
    # Each has figures of its own, of which the gateway has no outbox.
    assert (b"shop_outbox_events" in told.body) == (service != "gateway")
    assert (await guarded.ask(None, "HEAD", f"{guarded.metrics}/{service}")).status == 200


async def test_the_port_of_figures_serves_nothing_else(guarded: Guarded) -> None:
    for path in ("", "/", "/nobody", "/gateway/x", "/orders%2F"):
        expect_problem(await guarded.ask(None, "GET", guarded.metrics + path), 404)
    expect_problem(await guarded.ask(None, "POST", f"{guarded.metrics}/gateway"), 405)
    expect_problem(await guarded.ask(None, "GET", f"{guarded.metrics}/gateway?x=1"), 400)


async def test_a_service_alone_has_them_at_the_usual_path_until_it_ends(http: Http) -> None:
    stop, metrics_port = asyncio.Event(), free_port()
    shop = load_shop({"METRICS_PORT": str(metrics_port), "GATEWAY_PORT": str(free_port())})
    serving = asyncio.create_task(serve("gateway", shop, stop))
    await eventually(lambda: answers_ready(url_of(shop, "gateway")))
    url = f"http://127.0.0.1:{metrics_port}/metrics"
    closing = [("Connection", "close")]
    assert (await http("GET", url, headers=closing)).status == 200
    expect_problem(await http("GET", f"{url}/gateway", headers=closing), 404)
    stop.set()
    await asyncio.wait_for(serving, 10)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_port_that_is_a_services_own_is_a_mistake(service: str) -> None:
    shop = load_shop({"METRICS_PORT": "9464", f"{service.upper()}_PORT": "9464"})
    with pytest.raises(SettingsError, match=r"^GATEWAY_PORT, METRICS_PORT, .* must be different$"):
        async with open_shop(shop, asyncio.Event()):
            pass

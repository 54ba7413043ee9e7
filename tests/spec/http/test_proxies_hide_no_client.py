"""Behind a real proxy: clients are told apart, and a shop below /shop/ leads nowhere else."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import pytest

from kernel.adapters.http.middleware.fast_path import send_answer
from kernel.adapters.http.middleware.proxies import behind_proxies
from kernel.adapters.http.server.server import HttpServer, listen
from kernel.adapters.networks import Networks
from kernel.ports.http_answer import HttpAnswer
from tests.servers.nginx import nginx
from tests.servers.ports import free_port
from tests.servers.shop import Shop
from tests.spec.documents.test_health_and_documents_are_served import References
from tests.spec.scenario import Http, expect, expect_problem, next_page
from tests.spec.store import Store

ROOT, PREFIXED = "/shop", "/of/another"


@dataclass(frozen=True)
class Proxied:
    """A gateway below two paths of a proxy: its own SHOP_ROOT_PATH, and one of which the proxy tells."""

    url: str


@pytest.fixture(scope="module")
async def proxied(shop: Shop, scratch: Path) -> AsyncIterator[Proxied]:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    gateway = shop.process(
        "serve",
        "gateway",
        ready_at=[url],
        GATEWAY_PORT=port,
        ORDERS_URL=shop.orders,
        PAYMENTS_URL=shop.payments,
        SHOP_ROOT_PATH=ROOT,
        SHOP_TRUSTED_PROXIES="127.0.0.1",
    )
    await gateway.start()
    try:
        with nginx(
            scratch / f"nginx-{port}", {ROOT: url, PREFIXED: url}, tells_prefix=frozenset({PREFIXED})
        ) as proxy:
            yield Proxied(proxy)
    finally:
        gateway.kill()


@pytest.mark.parametrize("path", [ROOT, PREFIXED])
async def test_a_shop_below_a_path_is_walked_through(proxied: Proxied, http: Http, path: str) -> None:
    below = f"{proxied.url}{path}"
    store = Store(http, f"{below}/accounts", f"{below}/orders")
    user = await store.open_account(funds="9.00")
    for _ in range(3):
        placed = await store.order(user, "1.00")
        assert placed.location == store.order_url(expect(201, placed)["id"])
        expect(200, await http.get(placed.location))
    page: str | None = f"{store.orders}?userId={user}&limit=2"
    count = 0
    while page is not None:
        assert page.startswith(store.orders)
        answer = await http.get(page)
        count += len(expect(200, answer))
        page = next_page(answer)
    assert count == 3
    expect_problem(await http.get(f"{store.orders}/nothing"), 400, field="id")
    expect_problem(await store.order(user, "1000"), 402)
    by_get = await http.get(f"{store.deposit_url(user)}?amount=1")
    assert by_get.headers["Link"] == f'<{urlsplit(store.deposit_url(user)).path}>; rel="successor-version"'


@pytest.mark.parametrize("path", [ROOT, PREFIXED])
async def test_the_documentation_of_such_a_shop_stays_below_the_path(
    proxied: Proxied, http: Http, path: str
) -> None:
    below = f"{proxied.url}{path}"
    led = await http.get(f"{below}/swagger")
    assert (led.status, led.location) == (302, f"{below}/index.html")
    page = await http.get(f"{below}/index.html")
    references = [urljoin(page.url, reference) for reference in References(page.body.decode()).found]
    assert len(references) == 3
    for reference in references:
        assert reference.startswith(f"{below}/swagger-assets/")
        assert (await http.get(reference)).status == 200
    document = await http.get((await http.get(f"{below}/openapi.json")).location)
    assert expect(200, document)["servers"] == [{"url": path}]
    assert json.dumps(document.json["servers"]).encode().replace(b" ", b"") in page.body.replace(b" ", b"")


async def seen_by(proxy: str, client: str, **headers: str) -> Any:
    """The client that the server behind the proxy sees in a call from this address."""
    connector = aiohttp.TCPConnector(local_addr=(client, 0))
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"{proxy}/seen/", headers=named) as answer,
    ):
        return await answer.json()


async def test_clients_behind_one_proxy_are_told_apart_and_cannot_forge_their_address(scratch: Path) -> None:
    async def show(scope: Any, _: Any, send: Any) -> None:
        host = dict(scope["headers"])[b"host"].decode()
        shown = {"client": scope["client"][0], "scheme": scope["scheme"], "host": host}
        await send_answer(HttpAnswer(200, "application/json", {}, json.dumps(shown).encode()), send)

    stop = asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = behind_proxies(show, Networks("127.0.0.1/32"))
        serving = asyncio.create_task(HttpServer(app, listener).run_until(stop))
        with nginx(scratch / "nginx-of-addresses", {"/seen": url}, tells_prefix=frozenset()) as proxy:
            host = urlsplit(proxy).netloc
            for client in ("127.0.0.2", "127.0.0.3"):
                seen = {"client": client, "scheme": "http", "host": host}
                assert await seen_by(proxy, client) == seen
                assert await seen_by(proxy, client, X_Forwarded_For="203.0.113.9") == seen
                assert await seen_by(proxy, client, Forwarded="for=203.0.113.9;host=evil.example") == seen
        stop.set()
        await serving

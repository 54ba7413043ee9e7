"""Where the shop listens, and what it says of that."""

import re
import socket

import pytest

from tests.servers.ports import free_port
from tests.servers.shop import SERVICES, Embedded, Shop
from tests.spec.documents.test_health_and_documents_are_served import DOCS
from tests.spec.scenario import Http


async def test_the_addresses_that_it_prints_are_those_that_answer(embedded: Embedded, http: Http) -> None:
    printed = re.findall(r"http://[^\s)]+", embedded.up.stdout)
    assert {url.rstrip("/") for url in printed} >= {
        embedded.gateway,
        embedded.gateway + DOCS["gateway"],
        embedded.orders + DOCS["orders"],
        embedded.payments + DOCS["payments"],
    }
    for url in printed:
        assert (await http.get(url)).status in (200, 302), url


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this system has no sockets for both families")
async def test_every_address_of_ipv6_is_every_address_of_ipv4_too(embedded: Embedded) -> None:
    port = free_port()
    gateway = embedded.process(
        "serve",
        "gateway",
        ready_at=[f"http://127.0.0.1:{port}", f"http://[::1]:{port}"],
        BIND_HOST="::",
        SHOP_OPEN_BEYOND_LOOPBACK="yes",
        GATEWAY_PORT=str(port),
    )
    await gateway.start()
    gateway.kill()


@pytest.mark.parametrize("service", SERVICES)
async def test_where_people_look_leads_to_what_they_mean(shop: Shop, http: Http, service: str) -> None:
    url = shop.urls[service]
    home = set() if service == "gateway" else {"/"}  # The gateway has pages there.
    for path in (home | {"/swagger"}) - {DOCS[service]}:
        answer = await http.get(f"{url}{path}?from=a+bookmark")
        assert (answer.status, answer.location) == (302, url + DOCS[service])
    answer = await http.get(f"{url}/openapi.json")
    assert (answer.status, answer.location) == (302, f"{url}/schema/openapi.json")

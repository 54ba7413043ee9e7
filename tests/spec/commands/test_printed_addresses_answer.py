"""The shop listens at the addresses that it prints."""

import re

import pytest

from tests.servers.shop import SERVICES, Embedded, Shop
from tests.spec.documents.test_health_and_documents_are_served import DOCS
from tests.spec.scenario import Http


async def test_every_address_that_the_shop_prints_answers(embedded: Embedded, http: Http) -> None:
    printed = re.findall(r"http://[^\s)]+", embedded.up.stdout)
    assert {url.rstrip("/") for url in printed} >= {
        embedded.gateway,
        embedded.gateway + DOCS["gateway"],
        embedded.orders + DOCS["orders"],
        embedded.payments + DOCS["payments"],
    }
    for url in printed:
        assert (await http.get(url)).status in (200, 302), url


@pytest.mark.parametrize("service", SERVICES)
async def test_the_addresses_that_people_try_lead_to_the_documentation(
    shop: Shop, http: Http, service: str
) -> None:
    url = shop.urls[service]
    home = set() if service == "gateway" else {"/"}  # The gateway has pages there.
    for path in (home | {"/swagger"}) - {DOCS[service]}:
        answer = await http.get(f"{url}{path}?from=a+bookmark")
        assert (answer.status, answer.location) == (302, url + DOCS[service])
    answer = await http.get(f"{url}/openapi.json")
    assert (answer.status, answer.location) == (302, f"{url}/schema/openapi.json")

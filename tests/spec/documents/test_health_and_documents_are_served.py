"""Each service says how it is, and documents all that it offers without help from other sites."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.servers.process import eventually
from tests.servers.shop import SERVICES, Embedded, Shop
from tests.spec.scenario import Http, expect

ROOT = Path(__file__).parents[3]

at_each_service = pytest.mark.parametrize("service", SERVICES)
DOCS = {"gateway": "/index.html", "orders": "/swagger", "payments": "/swagger"}
GATEWAY = {
    "POST /accounts": {201, 400, 409, 413},
    "GET /accounts/{userId}": {200, 400, 404},
    "GET /accounts/{userId}/transactions": {200, 400, 404},
    "POST /accounts/{userId}/deposit": {200, 400, 404, 413, 422},
    "GET /accounts/{userId}/deposit": {200, 400, 404, 422},
    "POST /orders": {201, 400, 402, 413, 422, 503},
    "GET /orders": {200, 400},
    "POST /orders/batch": {200, 400, 413},
    "GET /orders/{id}": {200, 304, 400, 404},
    "GET /orders/{id}/history": {200, 400, 404},
    "POST /orders/{id}/cancel": {202, 400, 404, 409, 503, 504},
}
EVENTS = {"GET /orders/{id}/events": {200, 204, 400, 404, 503}}
KEYED = {"openAccount", "deposit", "depositByGet", "placeOrder"}
OPERATIONS = {
    "gateway": GATEWAY | EVENTS,
    "orders": {
        operation.replace("/orders", "/api/Order"): statuses
        for operation, statuses in GATEWAY.items()
        if "/orders" in operation
    },
    "payments": {
        operation.replace("/accounts", "/api/Accounts"): statuses
        for operation, statuses in GATEWAY.items()
        if "/accounts" in operation
    },
}


class References(HTMLParser):
    """The addresses that a page loads or links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


async def openapi(http: Http, shop: Shop, service: str) -> Any:
    answer = await http.get(f"{shop.urls[service]}/schema/openapi.json")
    assert answer.status == 200
    assert "json" in answer.headers["Content-Type"]
    return answer.json


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield f"{method.upper()} {path}", operation


def has_example(document: Any, part: Any, seen: tuple[str, ...] = ()) -> bool:
    """Whether this part of the document shows an example, itself or in what it refers to."""
    if isinstance(part, list):
        return any(has_example(document, item, seen) for item in part)
    if not isinstance(part, dict):
        return False
    if part.get("example") not in (None, "") or part.get("examples"):
        return True
    reference = part.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        referred = document
        for name in reference.removeprefix("#/").split("/"):
            referred = referred[name]
        return has_example(document, referred, (*seen, reference))
    return any(has_example(document, value, seen) for value in part.values())


@at_each_service
@pytest.mark.parametrize("probe", ["live", "ready"])
async def test_a_service_that_runs_is_live_and_ready(
    shop: Shop, http: Http, service: str, probe: str
) -> None:
    async def is_well() -> bool:
        return not expect(200, await http.get(f"{shop.urls[service]}/health/{probe}")).get("degraded")

    await eventually(is_well)  # A gateway that started first looks again for the others.


@at_each_service
async def test_health_and_documentation_have_a_head_too(shop: Shop, http: Http, service: str) -> None:
    for path in ("/health/live", "/health/ready", "/schema/openapi.json", DOCS[service]):
        answer = await http("HEAD", shop.urls[service] + path)
        assert (answer.status, answer.body) == (200, b""), path


@at_each_service
async def test_the_documentation_loads_nothing_from_elsewhere(shop: Shop, http: Http, service: str) -> None:
    url = shop.urls[service] + DOCS[service]
    page = await http.get(url)
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    references = [
        reference
        for reference in References(page.body.decode()).found
        if not reference.startswith(("data:", "#"))
    ]
    assert any(reference.endswith(".js") for reference in references)
    assert any(reference.endswith(".css") for reference in references)
    for reference in references:
        asset = urljoin(url, reference)
        assert asset.startswith(f"{shop.urls[service]}/"), f"{reference} is elsewhere"
        answer = await http.get(asset)
        assert answer.status == 200, f"{reference}: {answer}"
        if reference.endswith(".css"):
            assert not re.search(rb"(@import|url\()\s*['\"]?(https?:)?//", answer.body)


@at_each_service
async def test_the_published_documents_are_those_in_docs(shop: Shop, http: Http, service: str) -> None:
    for kind in ("openapi", "asyncapi"):
        file = ROOT / "docs" / kind / f"{service}.json"
        answer = await http.get(f"{shop.urls[service]}/schema/{kind}.json")
        assert answer.status == (200 if file.exists() else 404)
        if file.exists():
            assert answer.json == json.loads(file.read_bytes(), parse_float=Decimal)


@at_each_service
async def test_every_operation_documents_its_purpose_its_answers_and_problems(
    shop: Shop, http: Http, service: str
) -> None:
    documented = dict(operations(await openapi(http, shop, service)))
    assert [name for name, operation in documented.items() if not operation.get("summary")] == []
    for name, statuses in OPERATIONS[service].items():
        answers = documented[name]["responses"]
        assert {str(status) for status in statuses} <= answers.keys(), name
        for status, answer in answers.items():
            if status >= "400":
                assert "application/problem+json" in answer["content"], f"{name} {status}"


@at_each_service
async def test_every_operation_shows_examples(shop: Shop, http: Http, service: str) -> None:
    document = await openapi(http, shop, service)
    documented = dict(operations(document))
    for name in OPERATIONS[service]:
        operation = documented[name]
        asked = operation.get("requestBody") or operation.get("parameters")
        assert has_example(document, asked), f"{name}: no example of what to send"
        success = next(answer for status, answer in operation["responses"].items() if status < "300")
        assert has_example(document, success), f"{name}: no example of the answer"


@at_each_service
async def test_every_change_documents_its_key_and_how_it_tells_a_replay(
    shop: Shop, http: Http, service: str
) -> None:
    documented = dict(operations(await openapi(http, shop, service)))
    for name in OPERATIONS[service]:
        headers = [one["name"] for one in documented[name].get("parameters", []) if one["in"] == "header"]
        success = next(answer for status, answer in documented[name]["responses"].items() if status < "300")
        keyed = documented[name]["operationId"] in KEYED
        assert headers.count("Idempotency-Key") == keyed, name
        assert ("Idempotency-Replayed" in success.get("headers", {})) == keyed, name


@pytest.mark.parametrize("service", ["gateway", "payments"])
async def test_only_the_deposit_by_get_is_deprecated(shop: Shop, http: Http, service: str) -> None:
    document = await openapi(http, shop, service)
    deprecated = [name for name, operation in operations(document) if operation.get("deprecated")]
    assert deprecated == [
        name for name in OPERATIONS[service] if name.startswith("GET") and "deposit" in name
    ]


async def test_the_embedded_shop_says_where_it_answers(embedded: Embedded) -> None:
    said = embedded.up.stdout + embedded.up.stderr
    assert all(url.rpartition(":")[2] in said for url in embedded.urls.values())

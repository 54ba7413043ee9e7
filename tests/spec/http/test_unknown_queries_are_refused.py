"""A query that a route does not know changes nothing and shows nothing: it is refused, and named."""

import pytest

from tests.servers.shop import SERVICES, Shop
from tests.spec.documents.test_health_and_documents_are_served import DOCS
from tests.spec.scenario import Http, expect_problem, for_each
from tests.spec.store import Store

ORDER = "01970000-0000-7000-8000-000000000000"
STRANGE = [
    "userid=w1", "user=bob", "page=2", "colour", "=", "since=2026-01-01T00:00:00Z", "%75serID=a", "x[]=1",
]  # fmt: skip


def name_of(query: str) -> str:
    return query.partition("=")[0].replace("%75", "u")


@pytest.mark.parametrize("query", STRANGE)
async def test_a_parameter_that_a_route_does_not_know_is_named(
    store: Store, bystander: str, query: str
) -> None:
    wish = {"userId": bystander, "amount": 1}
    routes: list[tuple[str, str, object]] = [
        ("GET", store.orders, None),
        ("GET", store.order_url(ORDER), None),
        ("GET", store.history_url(ORDER), None),
        ("GET", store.account_url(bystander), None),
        ("GET", store.statement_url(bystander), None),
        ("GET", store.deposit_url(bystander) + "?amount=1", None),
        ("POST", store.accounts, {"userId": bystander}),
        ("POST", store.deposit_url(bystander), {"amount": 1}),
        ("POST", store.orders, wish),
        ("POST", store.batch, [wish]),
        ("POST", f"{store.order_url(ORDER)}/cancel", None),
    ]

    async def refused(row: tuple[str, str, object]) -> None:
        method, url, body = row
        url += ("&" if "?" in url else "?") + query
        expect_problem(await store.http(method, url, body), 400, field=name_of(query))

    async with store.nothing_changes_for(bystander):
        await for_each(routes, refused)


@pytest.mark.parametrize("service", SERVICES)
async def test_routes_for_operators_and_programs_refuse_unknown_parameters_too(
    shop: Shop, http: Http, service: str
) -> None:
    routes = {
        "gateway": [f"/orders/{ORDER}/events"],
        "orders": ["/schema/asyncapi.json"],
        "payments": ["/schema/asyncapi.json"],
    }[service]
    for path in [*routes, "/health/live", "/health/ready", "/metrics", "/schema/openapi.json"]:
        expect_problem(await http.get(f"{shop.urls[service]}{path}?colour=red"), 400, field="colour")


async def test_calls_between_services_refuse_unknown_parameters_too(shop: Shop, http: Http) -> None:
    for url, body in ((f"{shop.payments}/api/Admission", []), (f"{shop.orders}/api/Order/changes", [])):
        expect_problem(await http.post(f"{url}?colour=red", body), 400, field="colour")


@pytest.mark.parametrize("service", SERVICES)
async def test_swagger_takes_any_query(shop: Shop, http: Http, service: str) -> None:
    for path in (DOCS[service], "/swagger-assets/swagger-ui.css"):
        assert (await http.get(f"{shop.urls[service]}{path}?v=5&v=6")).status == 200


async def test_a_parameter_that_comes_twice_is_named(store: Store, bystander: str) -> None:
    for query, name in (
        ("limit=5&limit=5", "limit"),
        ("userId=a&status=NEW&userId=b", "userId"),
        ("userId=a&%75serId=b", "userId"),
    ):
        expect_problem(await store.http.get(f"{store.orders}?{query}"), 400, field=name)
    async with store.nothing_changes_for(bystander):
        deposit = f"{store.deposit_url(bystander)}?amount=1&amount=1000"
        expect_problem(await store.http.get(deposit), 400, field="amount")


async def test_every_fault_of_a_query_is_told_in_words(store: Store) -> None:
    query = "userId=a/b&status=bogus&after=x&limit=many&colour=red"
    answer = await store.http.get(f"{store.orders}?{query}")
    expect_problem(answer, 400)
    assert {error["field"]: error["message"] for error in answer.json["errors"]} == {
        "userId": "must be 1 to 128 of the characters A-Z a-z 0-9 . _ @ | : - and start with a letter or a"
        ' digit, not "a/b"',
        "status": 'must be one of CANCELLED, FINISHED, NEW, REFUNDED, REFUNDING, not "bogus"',
        "after": 'must be a UUID, not "x"',
        "limit": 'must be a whole number from 1 to 500, not "many"',
        "colour": "is unknown: this route takes userId, status, after, limit",
    }


@pytest.mark.parametrize(
    ("path", "errors"),
    [
        ("orders?limit=0&after=null", {"limit": "must be a whole number from 1 to 500, not \"0\"",
                                       "after": "must be a UUID, not \"null\""}),
        ("orders/x", {"id": "must be a UUID, not \"x\""}),
        ("orders/x/history?after=-1", {"id": "must be a UUID, not \"x\"",
                                       "after": "must be a whole number from 0 to 9223372036854775807,"
                                       " not \"-1\""}),
        ("accounts/a/deposit", {"amount": "is required"}),
        ("accounts/a/deposit?amount=-5", {"amount": "must be greater than 0, not \"-5\""}),
        ("accounts/a/deposit?amount=1e2", {"amount": "must be a decimal number like 49.90, with at most 12"
                                           " digits before the point and 2 after it, not \"1e2\""}),
        ("accounts/a/deposit?sum=1", {"amount": "is required", "sum": "is unknown: this route takes amount"}),
    ],
)  # fmt: skip
async def test_no_error_uses_the_words_of_a_library(store: Store, path: str, errors: dict[str, str]) -> None:
    url = {"accounts": store.accounts, "orders": store.orders}[path.partition("/")[0].partition("?")[0]]
    answer = await store.http.get(url + path.removeprefix("accounts").removeprefix("orders"))
    expect_problem(answer, 400)
    assert {error["field"]: error["message"] for error in answer.json["errors"]} == errors

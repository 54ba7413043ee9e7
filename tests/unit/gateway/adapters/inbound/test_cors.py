"""Pages of other sites may call the gateway from a browser only where the operator says so (CORS)."""

from tests.spec.scenario import expect_problem
from tests.unit.gateway.conftest import Gateway, a_gateway
from tests.unit.gateway.stub import answering

SHOP_FRONT, STRANGER = "https://front.example", "https://stranger.example"
ALLOWED = "Access-Control-Allow-Origin"
PREFLIGHT = [
    ("Access-Control-Request-Method", "POST"),
    ("Access-Control-Request-Headers", "content-type, idempotency-key"),
]


async def test_no_page_of_another_site_is_let_in_by_default(shop: Gateway) -> None:
    for method, headers in (("GET", []), ("OPTIONS", PREFLIGHT)):
        answer = await shop.http(method, f"{shop.url}/orders", headers=[("Origin", SHOP_FRONT), *headers])
        assert [name for name in answer.headers if name.lower().startswith("access-control")] == []


async def test_pages_of_the_given_origins_may_call_and_read_what_the_contract_says(shop: Gateway) -> None:
    origins = f"http://localhost:3000,{SHOP_FRONT}"
    shop.orders.reply = answering("[]", Link='</api/Order?after=x>; rel="next"')
    async with a_gateway(shop.orders, shop.payments, shop_cors_origins=origins) as gateway:
        asked = await gateway.http.get(f"{gateway.url}/orders", [("Origin", SHOP_FRONT)])
        assert (asked.status, asked.headers[ALLOWED]) == (200, SHOP_FRONT)
        readable = asked.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"ETag", "Idempotency-Replayed", "Link", "Location", "Retry-After"} <= set(readable)

        refused = await gateway.http.get(f"{gateway.url}/orders?limit=0", [("Origin", SHOP_FRONT)])
        assert (refused.status, refused.headers[ALLOWED]) == (400, SHOP_FRONT)

        preflight = await gateway.http(
            "OPTIONS", f"{gateway.url}/orders", headers=[("Origin", SHOP_FRONT), *PREFLIGHT]
        )
        assert (preflight.status, preflight.headers[ALLOWED]) == (204, SHOP_FRONT)

        stranger = await gateway.http.get(f"{gateway.url}/orders", [("Origin", STRANGER)])
        assert ALLOWED not in stranger.headers


async def test_every_page_may_call_where_the_operator_says_so(shop: Gateway) -> None:
    async with a_gateway(shop.orders, shop.payments, shop_cors_origins="*") as gateway:
        answer = await gateway.http.get(f"{gateway.url}/orders", [("Origin", STRANGER)])
        assert answer.headers[ALLOWED] == "*"


REFUSED = {
    "Origin": [("Origin", STRANGER), *PREFLIGHT],
    "Access-Control-Request-Method": [("Origin", SHOP_FRONT), ("Access-Control-Request-Method", "DELETE")],
    "Access-Control-Request-Headers": [
        ("Origin", SHOP_FRONT),
        PREFLIGHT[0],
        ("Access-Control-Request-Headers", "content-type, x-unknown"),
    ],
}


async def test_a_refused_preflight_is_a_problem_that_names_what_was_refused(shop: Gateway) -> None:
    async with a_gateway(shop.orders, shop.payments, shop_cors_origins=SHOP_FRONT) as gateway:
        for name, headers in REFUSED.items():
            refused = await gateway.http("OPTIONS", f"{gateway.url}/orders", headers=headers)
            expect_problem(refused, 400, code="invalid_request")
            assert [error["field"] for error in refused.json["errors"]] == [name]
            assert ALLOWED not in refused.headers
            assert "Origin" in refused.headers["Vary"]


async def test_a_cache_is_told_that_answers_depend_on_the_origin(shop: Gateway) -> None:
    no_wish = {"userId": "alice"}
    shop.orders.reply = answering("[]")
    async with a_gateway(shop.orders, shop.payments, shop_cors_origins=SHOP_FRONT) as other:
        for gateway in (shop, other):
            for headers in ([], [("Origin", STRANGER)], [("Origin", SHOP_FRONT)]):
                for answer in (
                    await gateway.http.get(f"{gateway.url}/orders", headers),
                    await gateway.http.get(f"{gateway.url}/nothing", headers),
                    await gateway.http("OPTIONS", f"{gateway.url}/orders", headers=headers),
                    # By the fast path where no origin is named.
                    await gateway.http.post(f"{gateway.url}/orders", no_wish, headers),
                ):
                    assert answer.headers["Vary"] == "Origin"


async def test_options_names_every_method_whatever_it_says_of_a_method(shop: Gateway) -> None:
    async with a_gateway(shop.orders, shop.payments, shop_cors_origins=SHOP_FRONT) as other:
        for gateway in (shop, other):
            for headers in ([], PREFLIGHT, [("Access-Control-Request-Method", "PUT")]):
                answer = await gateway.http("OPTIONS", f"{gateway.url}/orders", headers=headers)
                assert (answer.status, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    preflight = await shop.http("OPTIONS", f"{shop.url}/orders", headers=[("Origin", SHOP_FRONT), *PREFLIGHT])
    assert preflight.headers["Allow"] == "GET, HEAD, OPTIONS, POST"

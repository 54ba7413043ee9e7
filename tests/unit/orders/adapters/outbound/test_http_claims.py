"""What payments says of each order is taken only where it answers the question."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kernel.domain.errors import Unavailable
from kernel.domain.faults import Checked, Fault
from orders.adapters.outbound.http_claims import HttpPaymentClaims
from orders.domain.claims import Claim, KnownPayments
from orders.domain.verdict import Key, Paid

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ADA, BOB, EVE = (("ada", UUID(int=2)), ("bob", UUID(int=1)), ("eve", UUID(int=3)))


def claim(key: Key) -> dict[str, str]:
    return {"userId": key[0], "orderId": str(key[1]), "claim": "captured 5 RUB"}


def unknown(key: Key) -> dict[str, Any]:
    return {"userId": key[0], "orderId": str(key[1]), "known": False, "waiting": False}


class Payments:
    """Answers everything with one answer, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        self.tokens: list[str | None] = []
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
        self.says([])

    def says(self, body: Any, status: int = 200) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=raw, status=status, content_type="application/json")

        self.answer = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path, dict(request.query), await request.text()))
        self.tokens.append(request.headers.get("Authorization"))
        return await self.answer(request)


@pytest.fixture
def payments() -> Payments:
    return Payments()


@pytest.fixture
async def server(payments: Payments) -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_route("*", "/ops/{path:.*}", payments.handle)
    async with TestServer(app) as server:
        yield server


@pytest.fixture
async def claims(server: TestServer) -> AsyncIterator[HttpPaymentClaims]:
    async with aiohttp.ClientSession() as session:
        as_service = lambda: {"Authorization": "Bearer of-orders"}  # noqa: E731
        yield HttpPaymentClaims(session, str(server.make_url("")).rstrip("/"), as_service)


async def page(claims: HttpPaymentClaims, after: Key | None = None, until: Key | None = None) -> list[Key]:
    return [one.key for one in await claims.page(after, until, count_max=2)]


async def known(claims: HttpPaymentClaims) -> KnownPayments:
    return await claims.known([EVE, ADA])


async def test_a_page_is_asked_for_by_its_keys_with_the_token_of_the_service(
    claims: HttpPaymentClaims, payments: Payments
) -> None:
    payments.says([claim(BOB), claim(EVE)])
    found = await claims.page(ADA, EVE, count_max=2)
    assert found == [Claim(*BOB, "captured 5 RUB"), Claim(*EVE, "captured 5 RUB")]
    assert await page(claims) == [BOB, EVE]
    both = {"after": f"ada~{ADA[1]}", "until": f"eve~{EVE[1]}", "limit": "2"}
    assert payments.asked == [("GET", "/ops/claims", both, ""), ("GET", "/ops/claims", {"limit": "2"}, "")]
    assert payments.tokens == ["Bearer of-orders"] * 2


async def test_all_that_is_known_of_orders_is_asked_for_by_their_keys(
    claims: HttpPaymentClaims, payments: Payments
) -> None:
    paid = {"decision": "captured", "createdAt": NOW.isoformat(), "amount": 5, "currency": "RUB"}
    payments.says([{**unknown(ADA), "waiting": True}, {**unknown(EVE), "known": True, **paid}])
    captured = Paid(
        decision="captured", reason=None, created_at=NOW, amount=5, currency="RUB", refunded_at=None
    )
    assert await known(claims) == KnownPayments({EVE: captured}, {str(ADA[1])})
    [(method, path, _, body)] = payments.asked
    assert (method, path) == ("POST", "/ops/claims")
    assert json.loads(body) == [{"userId": user, "orderId": str(order)} for user, order in (EVE, ADA)]
    assert payments.tokens == ["Bearer of-orders"]


async def test_the_checks_of_payments_are_told_with_the_first_faults(
    claims: HttpPaymentClaims, payments: Payments
) -> None:
    fault = {"check": "accounts", "kind": "negative", "subject": "ada", "is": "-1", "shouldBe": "0"}
    payments.says([{"check": "accounts", "count": 7, "faults": 200, "findings": [fault]}])
    assert await claims.checked() == [Checked("accounts", 7, 200, [Fault("ada", "negative", "-1", "0")])]
    assert [asked[:2] for asked in payments.asked] == [("GET", "/ops/checks")]


@pytest.mark.parametrize("ask", [page, known, HttpPaymentClaims.checked])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"[{"),
        (200, b'["\xff"]'),
        (200, {}),
        (200, [{"userId": "ada"}]),
        (200, [{**unknown(ADA), "claim": 1, "check": 1}]),
        (201, []),
        (204, b""),
        (302, []),
        (401, []),
        (403, []),
        (404, []),
        (500, []),
        (503, []),
    ],
)
async def test_an_answer_that_is_none_counts_as_none(
    claims: HttpPaymentClaims, payments: Payments, ask: Callable[..., Any], status: int, body: Any
) -> None:
    payments.says(body, status)
    with pytest.raises(Unavailable):
        await ask(claims)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([EVE, BOB], id="out of order"),
        pytest.param([BOB, BOB], id="twice"),
        pytest.param([ADA, BOB], id="not behind the place"),
        pytest.param([BOB, ("eve", UUID(int=4))], id="beyond the end"),
        pytest.param([BOB, ("bob", UUID(int=2)), EVE], id="more than asked for"),
    ],
)
async def test_a_page_of_other_keys_than_asked_for_counts_as_none(
    claims: HttpPaymentClaims, payments: Payments, told: list[Key]
) -> None:
    payments.says([claim(key) for key in told])
    with pytest.raises(Unavailable):
        await page(claims, ADA, EVE)


async def test_an_empty_page_is_the_end(claims: HttpPaymentClaims) -> None:
    assert await page(claims, EVE) == await page(claims, ADA, EVE) == []


@pytest.mark.parametrize("told", [[], [EVE], [EVE, EVE], [EVE, BOB], [EVE, ADA, BOB], [EVE, ADA, ADA]])
async def test_an_answer_about_other_orders_than_asked_for_counts_as_none(
    claims: HttpPaymentClaims, payments: Payments, told: list[Key]
) -> None:
    payments.says([unknown(key) for key in told])
    with pytest.raises(Unavailable):
        await known(claims)


async def test_an_answer_that_breaks_off_counts_as_none(
    claims: HttpPaymentClaims, payments: Payments
) -> None:
    async def breaks_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"[")
        assert request.transport is not None
        request.transport.close()
        return response

    payments.answer = breaks_off
    with pytest.raises(Unavailable):
        await page(claims)


async def test_a_payments_that_is_away_or_does_not_answer_in_time_gives_no_answer(
    server: TestServer, payments: Payments
) -> None:
    never = asyncio.Event()

    async def waits(_: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    payments.answer = waits
    url = str(server.make_url("")).rstrip("/")
    async with aiohttp.ClientSession() as session:
        for ask in (page, known):
            with pytest.raises(Unavailable):
                await ask(HttpPaymentClaims(session, url, read_within_s=0.05))
        never.set()
        await server.close()
        with pytest.raises(Unavailable):
            await page(HttpPaymentClaims(session, url))

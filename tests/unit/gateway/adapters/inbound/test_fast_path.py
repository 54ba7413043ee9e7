"""POST /orders is answered the same on its fast path and on Litestar's, which two idle preferences take."""

import json
from typing import Any

import pytest
from aiohttp import web

from gateway.adapters.inbound import orders
from tests.spec.scenario import Answer, expect
from tests.unit.gateway.conftest import Gateway
from tests.unit.gateway.stub import answering, problem

ORDER = {"id": "0198c1a2-7b3c-7d4e-8f50-617283940516", "userId": "alice", "status": "NEW"}
FINISHED = ORDER | {"status": "FINISHED"}
GOOD = '{"userId": "alice", "amount": 1}'
SLOW_PATH = [("Prefer", "handling=lenient")] * 2
COMPARED = ("Content-Type", "Location", "Retry-After", "Idempotency-Replayed", "Preference-Applied")

OUTCOMES: dict[str, Any] = {
    "placed": {"status": 201, "order": ORDER, "replayed": False},
    "placed before": {"status": 201, "order": ORDER, "replayed": True},
    "decided before": {"status": 201, "order": FINISHED, "replayed": True},
    "refused": {"status": 402, "problem": problem(402, "insufficient_funds", "/api/Order")},
    "not taken": {"status": 503, "problem": problem(503, "overloaded", "/api/Order")},
}
BODIES = [
    b"", b"{", b"[]", b"null", b"\xff", b"\xef\xbb\xbf{}", b'{"userId": "alice"}', b"[" * 10_000,
    b'{"userId": "alice", "amount": 0}', b'{"userId": "a/b", "amount": 1}',
    b'{"userId": "alice", "amount": 1, "colour": "red"}', b'{"userId": "alice", "amount": 1e400}',
    b'{"userId": "alice", "amount": 1, "description": "\\u0000"}', b" " * 64 * 1024 + GOOD.encode(),
]  # fmt: skip
HEADERS = [
    [("Idempotency-Key", "k")], [("Idempotency-Key", "")], [("Idempotency-Key", "k" * 256)],
    [("Idempotency-Key", "clé")], [("Idempotency-Key", "k"), ("Idempotency-Key", "l")],
    [("traceparent", "nonsense")], [("Prefer", "wait=0")], [("Prefer", "wait=soon")], [("Prefer", "clé")],
]  # fmt: skip


async def both_paths(shop: Gateway, body: bytes | str, headers: list[tuple[str, str]]) -> tuple[Any, Any]:
    def answered(answer: Answer) -> tuple[Any, ...]:
        return answer.status, *(answer.headers.get(name) for name in COMPARED), answer.json

    url = f"{shop.url}/orders"
    fast = await shop.http.post(url, body, headers)
    return answered(fast), answered(await shop.http.post(url, body, [*headers, *SLOW_PATH]))


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("headers", [[], [("Idempotency-Key", "k")], [("Prefer", "wait=0")]], ids=str)
async def test_an_outcome_is_answered_the_same(
    shop: Gateway, outcome: str, headers: list[tuple[str, str]]
) -> None:
    shop.orders.reply = answering(json.dumps([OUTCOMES[outcome]]))
    fast, long = await both_paths(shop, GOOD, headers)
    assert fast == long
    assert fast[0] == OUTCOMES[outcome]["status"]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_bad_body_is_refused_the_same_and_asks_nobody(shop: Gateway, body: bytes) -> None:
    fast, long = await both_paths(shop, body, [])
    assert fast == long
    assert fast[0] in (400, 413)
    assert shop.orders.calls == []


@pytest.mark.parametrize("headers", HEADERS, ids=range(len(HEADERS)))
async def test_headers_mean_the_same(shop: Gateway, headers: list[tuple[str, str]]) -> None:
    shop.orders.reply = answering(json.dumps([OUTCOMES["placed"]]))
    fast, long = await both_paths(shop, GOOD, headers)
    assert fast == long


async def test_a_call_that_prefers_to_wait_takes_the_fast_path_and_is_listened_for_in_time(
    shop: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(orders, "passed_on")  # without which Litestar's route fails
    shop.notifications.wanted = False

    async def reply(request: web.Request) -> web.StreamResponse:
        assert shop.notifications.wanted
        history = [{"sequence": 1, "order": ORDER}, {"sequence": 2, "order": FINISHED}]
        answered = [history] if request.path.endswith("/changes") else [OUTCOMES["placed"]]
        return await answering(json.dumps(answered))(request)

    shop.orders.reply = reply
    answer = await shop.http.post(f"{shop.url}/orders", GOOD, [("Prefer", "wait=10")])
    assert expect(201, answer) == FINISHED
    assert answer.headers["Preference-Applied"] == "wait=10"

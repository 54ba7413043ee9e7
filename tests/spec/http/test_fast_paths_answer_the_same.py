"""On its fast path an ordinary call is answered as on Litestar's route, which the call of a page takes."""

from typing import Any
from uuid import UUID

import pytest

from tests.servers.shop import Shop
from tests.spec.scenario import Answer, Headers, Http, expect, new_user
from tests.spec.store import Store

SLOW_PATH = [("Origin", "https://elsewhere.example")]
COMPARED = ("Content-Type", "Location", "Retry-After", "Idempotency-Replayed")
NOTHING_TO_READ = [
    b"", b"{", b"[]", b"{}", b"null", b"3", b"\xff", b"\xef\xbb\xbf[]", b"[" * 10_000, b"[{}]", b"[1, null]",
]  # fmt: skip
TOO_MANY = b"[" + b",".join([b"{}"] * 201) + b"]"
TOO_LARGE = b" " * (1024 * 1024 + 1)
KEYS = ["k", "", "k" * 256, "clé"]


def answered(answer: Answer) -> tuple[Any, ...]:
    return answer.status, *(answer.headers.get(name) for name in COMPARED), answer.json


async def both_paths(http: Http, url: str, body: Any, headers: Headers = ()) -> tuple[Any, Any]:
    fast = await http.post(url, body, headers)
    return answered(fast), answered(await http.post(url, body, [*headers, *SLOW_PATH]))


def paths(shop: Shop) -> list[str]:
    return [f"{shop.orders}/api/Order", f"{shop.orders}/api/Order/batch", f"{shop.payments}/api/Admission"]


@pytest.mark.parametrize("body", [*NOTHING_TO_READ, TOO_MANY, TOO_LARGE], ids=lambda body: repr(body[:9]))
async def test_a_bad_body_is_refused_the_same_on_both_paths(shop: Shop, http: Http, body: bytes) -> None:
    for url in paths(shop):
        fast, long = await both_paths(http, url, body)
        assert fast == long
        assert fast[0] in (200, 400, 413)


async def test_no_path_takes_more_than_200_items(shop: Shop, http: Http) -> None:
    wish = {"userId": new_user(), "amount": 1}
    of_each = dict.fromkeys(paths(shop)[1:], wish) | {f"{shop.orders}/api/Order/changes": str(UUID(int=1))}
    for url, item in of_each.items():
        expect(200, await http.post(url, [item] * 200))
        for refused in await both_paths(http, url, [item] * 201):
            assert refused[0] == 400, url
            assert [blamed["field"] for blamed in refused[-1]["errors"]] == ["body"]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:3])
async def test_a_key_means_the_same_on_both_paths(shop: Shop, http: Http, key: str) -> None:
    wish = {"userId": new_user(), "amount": 1}
    for url, body in zip(paths(shop), (wish, [wish], [wish]), strict=True):
        fast, long = await both_paths(http, url, body, [("Idempotency-Key", key)])
        assert fast == long


async def test_an_order_placed_on_one_path_is_found_on_the_other(shop: Shop, http: Http) -> None:
    store = Store.at_the_services(http, shop)
    user = await store.open_account(funds="10.00")
    for first, second in ([], SLOW_PATH), (SLOW_PATH, []):
        key = f"k{len(first)}"
        wish = {"userId": user, "amount": "1.00", "description": "a book"}
        placed = await http.post(store.orders, wish, [("Idempotency-Key", key), *first])
        again = await http.post(store.orders, wish, [("Idempotency-Key", key), *second])
        assert (placed.status, again.status) == (201, 201)
        assert again.json["id"] == placed.json["id"]
        assert again.location == placed.location
        assert "Idempotency-Replayed" not in placed.headers
        assert again.headers["Idempotency-Replayed"] == "true"
        (outcome,) = expect(200, await http.post(store.batch, [{**wish, "idempotencyKey": key}], second))
        assert (outcome["status"], outcome["replayed"]) == (201, True)
        assert outcome["order"]["id"] == placed.json["id"]


async def test_admission_answers_the_same_on_both_paths(shop: Shop, http: Http) -> None:
    rich = await Store.at_the_services(http, shop).open_account(funds="10.00")
    asked = [{"userId": user, "amount": amount} for user, amount in ((rich, 10), (rich, 11), (new_user(), 1))]
    fast, long = await both_paths(http, f"{shop.payments}/api/Admission", asked)
    assert fast == long
    assert fast[-1] == [None, "insufficient_funds", "account_not_found"]

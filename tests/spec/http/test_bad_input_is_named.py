"""Whatever is sent, the answer is a problem that helps, and nothing has changed."""

import json
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest

from tests.servers.shop import SERVICES, Shop
from tests.spec.http.test_fast_paths_answer_the_same import SLOW_PATH
from tests.spec.scenario import Headers, Http, KiB, expect, expect_problem, for_each, new_user
from tests.spec.store import Store

POSTS = ["accounts", "deposit", "orders"]
MALFORMED = [
    b"{", b"}", b"userId", b"{'userId': 'a'}", b'{"userId": "a",}', b'{"userId": "a"} x', b"{}{}",
    b"\x00", b"\xff\xfe", b'{"userId": "\xff"}', b'{"userId": "\xed\xa0\x80"}', b'{"userId": "a\x00"}',
    b'{"userId": "\\ud800"}', b'{"userId": "a\nb"}', b'{"amount": 1, "amount"}',
    b"[" * 60_000, b'{"amount": ' * 5_000,
    b'{"userId": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
]  # fmt: skip
NO_OBJECTS = ["null", "5", "true", '"text"', "[]", '[{"amount": 1}]']
REQUIRED = [("accounts", "userId"), ("deposit", "amount"), ("orders", "userId"), ("orders", "amount")]
OTHER_METHODS = [
    ("GET", "accounts", {"POST"}),
    ("PUT", "accounts", {"POST"}),
    ("DELETE", "account", {"GET"}),
    ("POST", "account", {"GET"}),
    ("PUT", "deposit", {"GET", "POST"}),
    ("DELETE", "orders", {"GET", "POST"}),
    ("PATCH", "order", {"GET"}),
    ("POST", "order", {"GET"}),
    ("PUT", "batch", {"POST"}),
]
UNKNOWN = ["colour", "user_id", "UserId", "balance", "status", "id"]
OTHER_TYPES = [
    "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
]  # fmt: skip


def target(store: Store, post: str, user: str) -> str:
    return {"accounts": store.accounts, "deposit": store.deposit_url(user), "orders": store.orders}[post]


def valid(post: str, user: str) -> dict[str, Any]:
    """A body that would be accepted."""
    values: dict[str, dict[str, Any]] = {
        "accounts": {"userId": new_user()},
        "deposit": {"amount": 1},
        "orders": {"userId": user, "amount": 1},
    }
    return values[post]


def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body that does not tell its length before."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 16 * KiB):
            yield body[start : start + 16 * KiB]

    return pieces()


@pytest.mark.parametrize("post", POSTS)
async def test_a_body_that_is_no_json_object_is_refused(store: Store, bystander: str, post: str) -> None:
    async def refused(body: bytes | str) -> None:
        expect_problem(await store.http.post(target(store, post, bystander), body), 400)

    async with store.nothing_changes_for(bystander):
        await for_each([*MALFORMED, *NO_OBJECTS], refused)


@pytest.mark.parametrize("post", POSTS)
async def test_a_missing_body_is_refused_and_named(store: Store, bystander: str, post: str) -> None:
    async def refused(body: str | None) -> None:
        expect_problem(await store.http.post(target(store, post, bystander), body), 400, field="body")

    async with store.nothing_changes_for(bystander):
        await for_each([None, "", " "], refused)


async def test_a_missing_field_is_named(store: Store, bystander: str) -> None:
    async def refused(row: tuple[str, str]) -> None:
        post, field = row
        body = {name: value for name, value in valid(post, bystander).items() if name != field}
        expect_problem(await store.http.post(target(store, post, bystander), body), 400, field=field)

    async with store.nothing_changes_for(bystander):
        await for_each(REQUIRED, refused)


@pytest.mark.parametrize("post", POSTS)
async def test_an_unknown_field_is_named(store: Store, bystander: str, post: str) -> None:
    async def refused(field: str) -> None:
        body = valid(post, bystander) | {field: "1"}
        expect_problem(await store.http.post(target(store, post, bystander), body), 400, field=field)

    async with store.nothing_changes_for(bystander):
        await for_each(UNKNOWN, refused)


@pytest.mark.parametrize("post", POSTS)
async def test_a_field_that_comes_twice_is_refused_and_named(store: Store, bystander: str, post: str) -> None:
    """On the fast path and on Litestar's."""

    async def refused(headers: Headers) -> None:
        (name, value), *_ = fields = list(valid(post, bystander).items())
        body = (
            "{" + ",".join(f'"{name}":{json.dumps(value)}' for name, value in [*fields, (name, value)]) + "}"
        )
        answer = await store.http.post(target(store, post, bystander), body, headers)
        expect_problem(answer, 400, field=name)
        escaped = body.replace(f'"{name}"', f'"\\u{ord(name[0]):04x}{name[1:]}"', 1)
        answer = await store.http.post(target(store, post, bystander), escaped, headers)
        expect_problem(answer, 400, field=name)

    async with store.nothing_changes_for(bystander):
        await for_each([[], SLOW_PATH], refused)


async def test_of_a_batch_the_item_with_a_field_twice_is_refused_alone(store: Store) -> None:
    user = await store.open_account(funds="2.00")
    whole = f'{{"userId": "{user}", "amount": 1}}'
    for headers in ([], SLOW_PATH):
        twice = whole.replace('"amount"', '"amount": 1, "amount"')
        outcomes = expect(200, await store.http.post(store.batch, f"[{whole}, {twice}]", headers))
        assert [outcome["status"] for outcome in outcomes] == [201, 400]
        assert [error["field"] for error in outcomes[1]["problem"]["errors"]] == ["amount"]


@pytest.mark.parametrize("post", POSTS)
async def test_a_byte_order_mark_is_ignored(store: Store, post: str) -> None:
    for headers in ([], SLOW_PATH):
        user = await store.open_account(funds="1.00")
        body = b"\xef\xbb\xbf" + json.dumps(valid(post, user)).encode()
        assert (await store.http.post(target(store, post, user), body, headers)).status in (200, 201)


async def test_every_fault_of_a_body_is_told_in_words(store: Store, bystander: str) -> None:
    wish = {"userId": "a/b", "amount": -5, "description": 7, "colour": "red"}
    messages = {
        "userId": 'letter or a digit, not "a/b"',
        "amount": "must be greater than 0, not -5",
        "description": "must be a string of at most 500 characters, without U+0000, not 7",
        "colour": "is unknown",
    }
    async with store.nothing_changes_for(bystander):
        for headers in ([], SLOW_PATH):
            problem = await store.http.post(store.orders, wish, headers)
            expect_problem(problem, 400)
            (outcome,) = expect(200, await store.http.post(store.batch, [wish], headers))
            for errors in (problem.json["errors"], outcome["problem"]["errors"]):
                assert [error["field"] for error in errors] == list(messages)
                assert all(error["message"].endswith(messages[error["field"]]) for error in errors)


@pytest.mark.parametrize("post", POSTS)
async def test_another_content_type_is_refused(store: Store, bystander: str, post: str) -> None:
    async def refused(content_type: str) -> None:
        body = json.dumps(valid(post, bystander))
        answer = await store.http("POST", target(store, post, bystander), body, content_type)
        expect_problem(answer, 415)

    async with store.nothing_changes_for(bystander):
        await for_each(OTHER_TYPES, refused)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_may_name_its_charset(store: Store, content_type: str) -> None:
    user = await store.open_account(funds="1.00")
    for post, status in (("accounts", 201), ("deposit", 200), ("orders", 201)):
        body = json.dumps(valid(post, user))
        expect(status, await store.http("POST", target(store, post, user), body, content_type))


@pytest.mark.parametrize("post", POSTS)
async def test_a_body_has_up_to_64_kib(store: Store, bystander: str, post: str) -> None:
    user = await store.open_account(funds="1.00")
    just_fits = json.dumps(valid(post, user)).ljust(64 * KiB)
    assert (await store.http.post(target(store, post, user), just_fits)).status in (200, 201)
    too_long = json.dumps(valid(post, bystander)).ljust(64 * KiB + 1)
    async with store.nothing_changes_for(bystander):
        expect_problem(await store.http.post(target(store, post, bystander), too_long), 413)
        pieces = in_pieces(too_long.encode())
        expect_problem(await store.http.post(target(store, post, bystander), pieces), 413)


@pytest.mark.parametrize("post", [*POSTS, "batch"])
async def test_a_body_of_10_mb_is_refused(store: Store, bystander: str, post: str) -> None:
    url = store.batch if post == "batch" else target(store, post, bystander)
    async with store.nothing_changes_for(bystander):
        expect_problem(await store.http.post(url, b" " * 10_000_000), 413)


@pytest.mark.parametrize("service", SERVICES)
async def test_an_unknown_route_is_not_found(shop: Shop, http: Http, service: str) -> None:
    async def not_found(row: tuple[str, str]) -> None:
        method, path = row
        expect_problem(await http(method, shop.urls[service] + path), 404)

    paths = ["/nowhere", "/accounts/a/b/c", "/api/Order/a/b/c", "/schema/nothing", "/..%2f..%2fetc"]
    await for_each(product(["GET", "POST", "DELETE"], paths), not_found)


async def test_another_method_is_refused_and_told_which_are_allowed(store: Store, bystander: str) -> None:
    urls = {
        "accounts": store.accounts,
        "account": store.account_url(bystander),
        "deposit": store.deposit_url(bystander),
        "orders": store.orders,
        "order": store.order_url("01970000-0000-7000-8000-000000000000"),
        "batch": store.batch,
    }

    async def refused(row: tuple[str, str, set[str]]) -> None:
        method, route, allowed = row
        answer = await store.http(method, urls[route])
        expect_problem(answer, 405)
        allowed_here = {word.strip() for word in answer.headers["Allow"].split(",")}
        assert allowed <= allowed_here
        assert ("HEAD" in allowed_here) == ("GET" in allowed_here)
        assert method not in allowed_here

    async with store.nothing_changes_for(bystander):
        await for_each(OTHER_METHODS, refused)

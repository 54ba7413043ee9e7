"""A read costs little where nothing has changed (ETag), or where only the headers are asked for (HEAD)."""

import re

from tests.spec.scenario import Answer, expect, expect_problem, new_user
from tests.spec.store import Store

TAG = re.compile(r'(W/)?"[\x21\x23-\x7e]+"')


async def read(store: Store, order_id: str, if_none_match: str) -> Answer:
    return await store.http.get(store.order_url(order_id), [("If-None-Match", if_none_match)])


async def test_an_order_has_a_tag_that_changes_with_its_status_and_not_otherwise(store: Store) -> None:
    user = await store.open_account(funds="15.00")
    outcomes = await store.in_batch(*({"userId": user, "amount": 10} for _ in range(2)))
    tags = set()
    for outcome in outcomes:
        order_id = (await store.decided(outcome["order"]["id"]))["id"]
        first, second = [await store.http.get(store.order_url(order_id)) for _ in range(2)]
        assert TAG.fullmatch(first.headers["ETag"])
        assert first.headers["ETag"] == second.headers["ETag"]
        tags.add(first.headers["ETag"])
    assert len(tags) == 2


async def test_a_client_that_has_the_current_order_gets_no_body(store: Store) -> None:
    user = await store.open_account(funds="1.00")
    order = await store.decided((await store.placed(user, "1.00"))["id"])
    tag = (await store.http.get(store.order_url(order["id"]))).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"a", {tag}, "b"', f'W/"a",{tag}', "*"):
        unchanged = await read(store, order["id"], known)
        assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", tag), known
    for other in ('"other"', tag.strip('"'), f'"{tag}', "", '""', '"*"'):
        answer = await read(store, order["id"], other)
        assert (expect(200, answer), answer.headers["ETag"]) == (order, tag), other


async def test_the_tag_of_a_new_order_is_old_once_it_is_decided(store: Store) -> None:
    user = await store.open_account(funds="1.00")
    order_id = (await store.placed(user, "1.00"))["id"]
    before = await store.http.get(store.order_url(order_id))
    decided = await store.decided(order_id)
    answer = await read(store, order_id, before.headers["ETag"])
    assert answer.status == (304 if before.json == decided else 200)


async def test_a_tag_does_not_make_an_order_that_nobody_placed(store: Store) -> None:
    for known in ("*", '"a"'):
        answer = await read(store, "01970000-0000-7000-8000-000000000000", known)
        expect_problem(answer, 404, code="order_not_found")


async def test_a_head_is_answered_like_the_read_without_its_body(store: Store) -> None:
    user = await store.open_account(funds="3.00")
    order_id = (await store.decided((await store.placed(user, "1.00"))["id"]))["id"]
    for url in (
        store.account_url(user),
        f"{store.statement_url(user)}?limit=1",
        f"{store.orders}?userId={user}",
        store.order_url(order_id),
        store.history_url(order_id),
        store.account_url(new_user()),
        f"{store.orders}?limit=0",
    ):
        named = [("X-Request-Id", "both")]
        whole, head = await store.http.get(url, named), await store.http("HEAD", url, headers=named)
        assert (head.status, head.body) == (whole.status, b""), url
        unlike = {name for name in whole.headers if whole.headers[name] != head.headers.get(name)}
        assert unlike <= {"Date"}, url


async def test_a_head_of_an_unchanged_order_is_not_modified(store: Store) -> None:
    user = await store.open_account(funds="1.00")
    url = store.order_url((await store.decided((await store.placed(user, "1.00"))["id"]))["id"])
    tag = (await store.http("HEAD", url)).headers["ETag"]
    assert (await store.http("HEAD", url, headers=[("If-None-Match", tag)])).status == 304


async def test_a_head_never_deposits(store: Store, bystander: str) -> None:
    async with store.nothing_changes_for(bystander):
        refused = await store.http("HEAD", f"{store.deposit_url(bystander)}?amount=1")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, POST")


async def test_a_route_without_a_read_has_no_head(store: Store) -> None:
    assert (await store.http("HEAD", store.accounts)).status == 405

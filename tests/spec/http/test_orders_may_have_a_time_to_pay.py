"""An order may say until when it may be paid (`payBy`); one that nobody could pay in time is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from tests.servers.process import eventually
from tests.servers.shop import Shop, ThreeServices
from tests.spec.http.test_fast_paths_answer_the_same import both_paths
from tests.spec.keyed import KEY, replayed
from tests.spec.live import Stream
from tests.spec.scenario import Http, assert_order, expect, expect_problem, for_each, moment
from tests.spec.store import Store

FUTURE, IN_UTC = "2126-01-01T03:30:00.5+03:30", "2126-01-01T00:00:00.500000Z"
SAME = [FUTURE, "2125-12-31T19:00:00.500000-05:00", IN_UTC]
OTHER = ["2126-01-01T00:00:00.500001Z", None]
PAST = "2026-01-01T00:00:00Z"
MALFORMED = [
    "2126-01-01T00:00:00", "2126-01-01", "2126-02-30T00:00:00Z", "tomorrow", "", "4922899200", 4922899200,
    True, {}, "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "2126-01-01T00:00:00Z\u0000",
]  # fmt: skip


def wish(user: str, **more: object) -> dict[str, object]:
    return {"userId": user, "amount": "1.00", "description": "a book", **more}


async def test_an_order_shows_its_time_to_pay_in_utc_wherever_it_is_shown(store: Store) -> None:
    user = await store.open_account(funds="3.00")
    placed = expect(201, await store.http.post(store.orders, wish(user, payBy=FUTURE)))
    (outcome,) = await store.in_batch(wish(user, payBy=FUTURE))
    for order in placed, outcome["order"]:
        assert_order(order, status="NEW", payBy=IN_UTC)
        assert_order(await store.decided(order["id"]), status="FINISHED", payBy=IN_UTC)
    assert [order["payBy"] for order in await store.orders_of(user)] == [IN_UTC] * 2
    plain = expect(201, await store.http.post(store.orders, wish(user, payBy=None)))
    assert "payBy" not in plain
    assert "payBy" not in await store.decided(plain["id"])


async def test_a_stream_and_a_waiting_client_see_the_time_to_pay_too(gateway: Store) -> None:
    user = await gateway.open_account(funds="1.00")
    waited = await gateway.http.post(gateway.orders, wish(user, payBy=FUTURE), [("Prefer", "wait=10")])
    assert_order(expect(201, waited), status="FINISHED", payBy=IN_UTC)
    async with aiohttp.ClientSession() as session:
        stream = Stream(session, waited.json["id"])
        await stream.read(gateway.orders)
    assert [order["payBy"] for _, order in stream.events] == [IN_UTC] * 2


async def test_an_order_whose_time_is_over_is_refused_and_not_stored(store: Store) -> None:
    user = await store.open_account(funds="10.00")
    async with store.nothing_changes_for(user):
        for headers in (), [(KEY, "k")]:
            refused = await store.http.post(store.orders, wish(user, payBy=PAST), headers)
            expect_problem(refused, 422, code="expired")
    late, fine = await store.in_batch(wish(user, payBy=PAST), wish(user, payBy=FUTURE))
    assert (late["status"], late["problem"]["code"], fine["status"]) == (422, "expired", 201)
    assert [order["id"] for order in await store.orders_of(user)] == [fine["order"]["id"]]


async def test_both_paths_refuse_a_time_to_pay_the_same(shop: Shop, http: Http) -> None:
    user = await Store.at_the_services(http, shop).open_account(funds="10.00")
    bodies: list[Any] = [wish(user, payBy=pay_by) for pay_by in (PAST, *MALFORMED)]
    for body in bodies:
        fast, long = await both_paths(http, f"{shop.orders}/api/Order", body)
        assert fast == long
        fast, long = await both_paths(http, f"{shop.orders}/api/Order/batch", [body])
        assert fast == long


async def test_a_malformed_time_to_pay_is_named(store: Store, bystander: str) -> None:
    async def refused(pay_by: object) -> None:
        answer = await store.http.post(store.orders, wish(bystander, payBy=pay_by))
        expect_problem(answer, 400, field="payBy")
        (outcome,) = await store.in_batch(wish(bystander, payBy=pay_by))
        assert outcome["status"] == 400
        assert [error["field"] for error in outcome["problem"]["errors"]] == ["payBy"]

    async with store.nothing_changes_for(bystander):
        await for_each(MALFORMED, refused)


async def test_a_repeat_may_write_the_same_moment_in_another_zone(store: Store) -> None:
    user = await store.open_account(funds="10.00")

    async def order(key: str, **more: object) -> Any:
        return await store.http.post(store.orders, wish(user, **more), [(KEY, key)])

    answers = [await order("k", payBy=pay_by) for pay_by in SAME]
    assert [replayed(answer) for answer in answers] == [False, True, True]
    for other in OTHER:
        expect_problem(await order("k", payBy=other), 422, code="idempotency_key_reused")
    expect(201, await order("plain"))
    expect_problem(await order("plain", payBy=FUTURE), 422, code="idempotency_key_reused")
    known, reused = await store.in_batch(
        wish(user, payBy=IN_UTC, idempotencyKey="k"), wish(user, payBy=PAST, idempotencyKey="k")
    )
    assert (known["status"], known["replayed"]) == (201, True)
    assert reused["problem"]["code"] == "idempotency_key_reused"


async def test_a_repeat_is_answered_though_the_time_is_over_meanwhile(store: Store) -> None:
    user = await store.open_account(funds="10.00")
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    first = await store.http.post(store.orders, wish(user, payBy=soon), [(KEY, "k")])
    expect(201, first)

    async def is_over() -> bool:
        return (await store.http.post(store.orders, wish(user, payBy=soon))).status == 422

    await eventually(is_over)
    again = await store.http.post(store.orders, wish(user, payBy=soon), [(KEY, "k")])
    assert replayed(again)
    assert again.json["id"] == first.json["id"]


async def test_a_shop_may_have_a_default_which_repeats_do_not_compare(
    three_services: ThreeServices, http: Http
) -> None:
    user = await Store.at_the_gateway(http, three_services).open_account(funds="10.00")
    async with three_services.others(
        ("orders", {"SHOP_PAY_WITHIN": "900"}), ("orders", {"SHOP_PAY_WITHIN": "60"})
    ) as urls:
        one, other = (f"{url}/api/Order" for url in urls)
        first = expect(201, await http.post(one, wish(user), [(KEY, "k")]))
        assert moment(first["payBy"]) - moment(first["createdAt"]) == timedelta(seconds=900)
        for url in (other, f"{three_services.orders}/api/Order"):
            again = await http.post(url, wish(user), [(KEY, "k")])
            assert replayed(again)
            assert again.json["payBy"] == first["payBy"]
        refused = await http.post(one, wish(user, payBy=first["payBy"]), [(KEY, "k")])
        expect_problem(refused, 422, code="idempotency_key_reused")
        assert expect(201, await http.post(one, wish(user, payBy=FUTURE)))["payBy"] == IN_UTC


@pytest.mark.parametrize("door", [Store.at_the_gateway, Store.at_the_services])
async def test_an_order_with_a_time_to_pay_is_cancelled_and_refunded_as_any_other(
    shop: Shop, http: Http, door: Any
) -> None:
    store = door(http, shop)
    user = await store.open_account(funds="1.00")
    placed = expect(201, await store.http.post(store.orders, wish(user, payBy=FUTURE)))
    await store.decided(placed["id"])
    assert_order(await store.cancelled(placed["id"]), status="REFUNDED", payBy=IN_UTC)
    assert str(await store.balance(user)) == "1.00"

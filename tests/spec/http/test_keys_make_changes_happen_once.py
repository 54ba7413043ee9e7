"""A change that is asked for with an Idempotency-Key happens once, and is answered every time."""

from collections.abc import Awaitable, Callable

import pytest

from tests.servers.shop import ThreeServices
from tests.spec.keyed import (
    KEY,
    Change,
    assert_one_first,
    deposit_by_get,
    deposit_by_post,
    opening,
    order,
    order_in_batch,
    replayed,
)
from tests.spec.scenario import Answer, Http, expect, expect_problem, for_each, money, new_user, together
from tests.spec.store import Store

either_order = pytest.mark.parametrize("order", [order, order_in_batch])
either_deposit = pytest.mark.parametrize("deposit", [deposit_by_post, deposit_by_get])
# Changes that are taken again and again for a user who has an account with money.
CHANGES: list[Change] = [order, order_in_batch, deposit_by_post, deposit_by_get]
every_change = pytest.mark.parametrize("change", [*CHANGES, opening])
every_change_with_a_header = pytest.mark.parametrize(
    "change", [order, deposit_by_post, deposit_by_get, opening]
)


@either_order
async def test_an_order_is_answered_again_in_its_current_state(
    store: Store, order: Callable[..., Awaitable[Answer]]
) -> None:
    user = await store.open_account(funds="10.00")
    first = await order(store, user, "k", "4.00")
    assert not replayed(first)
    decided = await store.decided(first.json["id"])
    again = await order(store, user, "k", "4.00")
    assert replayed(again)
    assert (again.status, again.json) == (201, decided)
    assert again.headers.get("Location") == first.headers.get("Location")
    assert await store.orders_of(user) == [decided]
    assert str(await store.balance(user)) == "6.00"


@either_deposit
async def test_a_deposit_is_answered_again_with_its_balance_of_then(store: Store, deposit: Change) -> None:
    user = await store.open_account(funds="1.00")
    first = await deposit(store, user, "k")
    await store.deposit(user, "5.00")
    again = await deposit(store, user, "k")
    assert (replayed(first), replayed(again)) == (False, True)
    assert again.body == first.body
    assert str(money(again.json["balance"])) == "2.00"
    assert str(await store.balance(user)) == "7.00"


async def test_an_opening_is_answered_again_and_any_other_one_is_refused(store: Store) -> None:
    user = new_user()
    first, again = await opening(store, user, "k"), await opening(store, user, "k")
    assert (first.status, replayed(first)) == (201, False)
    assert (again.status, replayed(again)) == (201, True)
    assert (again.json, again.location) == (first.json, first.location)
    expect_problem(await opening(store, user, "other"), 409, code="account_exists")
    expect_problem(await store.http.post(store.accounts, {"userId": user}), 409, code="account_exists")


@either_order
@pytest.mark.parametrize("other", [{"amount": "2.00"}, {"description": "other"}], ids=str)
async def test_the_key_of_an_order_with_other_values_is_refused(
    store: Store, order: Callable[..., Awaitable[Answer]], other: dict[str, str]
) -> None:
    user = await store.open_account(funds="10.00")
    await store.decided((await order(store, user, "k")).json["id"])
    async with store.nothing_changes_for(user):
        expect_problem(await order(store, user, "k", **other), 422, code="idempotency_key_reused")


@either_deposit
async def test_the_key_of_a_deposit_with_another_amount_is_refused(store: Store, deposit: Change) -> None:
    user = await store.open_account()
    await deposit_by_post(store, user, "k", "2.00")
    async with store.nothing_changes_for(user):
        expect_problem(await deposit(store, user, "k"), 422, code="idempotency_key_reused")


@pytest.mark.parametrize("change", [order, order_in_batch, deposit_by_post])
async def test_an_amount_may_be_written_differently(
    store: Store, change: Callable[..., Awaitable[Answer]]
) -> None:
    user = await store.open_account(funds="30.00")
    answers = [await change(store, user, "k", amount) for amount in (10, 10.0, "10", "10.0", "10.00")]
    assert list(map(replayed, answers)) == [False, True, True, True, True]


async def test_both_routes_of_a_deposit_know_the_same_keys(store: Store) -> None:
    user = await store.open_account()
    by_post, by_get = await deposit_by_post(store, user, "a"), await deposit_by_get(store, user, "b")
    again = await deposit_by_get(store, user, "a"), await deposit_by_post(store, user, "b")
    assert [answer.json for answer in again] == [by_post.json, by_get.json]
    assert all(map(replayed, again))
    assert str(await store.balance(user)) == "2.00"


async def test_single_orders_and_those_of_a_batch_know_the_same_keys(store: Store) -> None:
    user = await store.open_account(funds="10.00")
    single = expect(201, await order(store, user, "a"))
    item = {"userId": user, "amount": 1, "idempotencyKey": "b"}
    known, new = await store.in_batch(item | {"idempotencyKey": "a"}, item)
    assert (known["replayed"], known["order"]["id"]) == (True, single["id"])
    again = await order(store, user, "b")
    assert replayed(again)
    assert again.json["id"] == new["order"]["id"]


async def test_an_account_a_deposit_and_an_order_may_share_a_key(store: Store) -> None:
    user = new_user()
    answers = [await change(store, user, "k") for change in (opening, deposit_by_post, order)]
    assert not any(map(replayed, answers))


@every_change
async def test_a_key_belongs_to_its_user(store: Store, change: Change) -> None:
    users = [await store.open_account(funds="1.00") if change is not opening else new_user() for _ in "ab"]
    assert not any([replayed(await change(store, user, "same")) for user in users])


@every_change
async def test_a_key_used_at_one_entry_point_is_known_at_the_other(
    store: Store, gateway: Store, change: Change
) -> None:
    user = await store.open_account(funds="1.00") if change is not opening else new_user()
    assert_one_first([await change(entry_point, user, "k") for entry_point in (store, gateway)])


@pytest.mark.parametrize("change", CHANGES)
async def test_a_refusal_leaves_its_key_free(store: Store, change: Change) -> None:
    user = new_user()
    expect_problem(await change(store, user, "k"), code="account_not_found")
    await store.http.post(store.accounts, {"userId": user})
    await store.deposit(user, "1.00")
    assert not replayed(await change(store, user, "k"))


@every_change_with_a_header
async def test_a_key_is_1_to_255_printable_ascii_characters(store: Store, change: Change) -> None:
    async def taken(key: str) -> None:
        user = await store.open_account(funds="9.00") if change is not opening else new_user()
        assert_one_first([await change(store, user, key) for _ in range(2)])

    await for_each(["k", "k" * 255, "~", '"a b" \\ c, d; e=f'], taken)


@every_change_with_a_header
async def test_a_malformed_key_is_named(store: Store, bystander: str, change: Change) -> None:
    async def refused(key: str) -> None:
        expect_problem(await change(store, bystander, key), 400, field=KEY)

    async with store.nothing_changes_for(bystander):
        await for_each(["", " ", "k" * 256, "ключ", "a\tb"], refused)


async def test_a_batch_takes_no_key_for_the_whole_of_it(store: Store, bystander: str) -> None:
    async with store.nothing_changes_for(bystander):
        wishes = [{"userId": bystander, "amount": 1}]
        expect_problem(await store.http.post(store.batch, wishes, [(KEY, "k")]), 400, field=KEY)


@either_order
async def test_200_concurrent_orders_with_one_key_are_one_order(store: Store, order: Change) -> None:
    user = await store.open_account(funds="1.00")
    answers = await together(*(order(store, user, "k") for _ in range(200)))
    [only] = await store.orders_of(user)
    assert {(answer.status, answer.json["id"]) for answer in answers} == {(201, only["id"])}
    assert_one_first(answers)
    assert (await store.decided(only["id"]))["status"] == "FINISHED"
    assert str(await store.balance(user)) == "0.00"


@either_deposit
async def test_200_concurrent_deposits_with_one_key_are_one_deposit(store: Store, deposit: Change) -> None:
    user = await store.open_account()
    answers = await together(*(deposit(store, user, "k") for _ in range(200)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert_one_first(answers)
    assert str(await store.balance(user)) == "1.00"


async def test_200_concurrent_openings_with_one_key_are_all_answered(store: Store) -> None:
    user = new_user()
    answers = await together(*(opening(store, user, "k") for _ in range(200)))
    assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
    assert_one_first(answers)


async def test_of_equal_calls_at_two_replicas_exactly_one_is_the_first(
    three_services: ThreeServices, http: Http
) -> None:
    one = Store.at_the_services(http, three_services)
    user = await one.open_account(funds="1.00")

    async with three_services.others(("orders", {}), ("payments", {})) as (orders, payments):
        other = Store(http, f"{payments}/api/Accounts", f"{orders}/api/Order")

        async def of_both(change: Change, user: str) -> None:
            answers = await together(*(change(entry_point, user, "k") for entry_point in (one, other) * 50))
            assert_one_first(answers)

        await together(of_both(order, user), of_both(deposit_by_post, user), of_both(opening, new_user()))
    assert len(await one.orders_of(user)) == 1
    placed = await one.decided((await one.orders_of(user))[0]["id"])
    assert placed["status"] == "FINISHED"
    assert str(await one.balance(user)) == "1.00"

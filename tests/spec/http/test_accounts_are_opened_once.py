"""An account is opened once, for any well-formed user id."""

from random import SystemRandom

import pytest

from tests.spec.scenario import (
    ACCOUNT_FIELDS,
    expect,
    expect_problem,
    for_each,
    moment,
    money,
    new_user,
    together,
)
from tests.spec.store import Store

LONGEST = "u" * 128
USER_IDS = [
    "{}", "0{}", "{}.", "{}_A-z", "{}@example.org", "tenant|{}", "urn:user:{}", f"{{}}{'x' * 96}",
]  # fmt: skip
NOT_USER_IDS = [
    "", " ", "_a", ".a", "-a", "@a", "|a", ":a", "a/b", "/", "a b", " a", "a ", "a\n", "a\u0000", "é", "٣",
    "a%2Fb", "a?b", "a#b", "a+b", LONGEST + "u", "u" * 200,
    -1, 1.5, True, False, None, [], ["a"], {}, {"id": "a"},
]  # fmt: skip


async def test_an_opened_account_is_empty_and_has_a_location(store: Store) -> None:
    user = new_user()
    answer = await store.http.post(store.accounts, {"userId": user})
    account = expect(201, answer)
    assert account.keys() == ACCOUNT_FIELDS
    assert account["userId"] == user
    assert b'"balance":0.00' in answer.body.replace(b" ", b"")
    assert account["currency"] == "RUB"
    moment(account["createdAt"])
    assert answer.location == store.account_url(user)
    assert expect(200, await store.http.get(answer.location)) == account


async def test_a_user_has_one_account_at_most(store: Store) -> None:
    user = await store.open_account(funds="5.00")
    async with store.nothing_changes_for(user):
        again = await store.http.post(store.accounts, {"userId": user})
        expect_problem(again, 409, code="account_exists")


async def test_of_100_concurrent_openings_for_one_user_exactly_one_succeeds(store: Store) -> None:
    user = new_user()
    answers = await together(*(store.http.post(store.accounts, {"userId": user}) for _ in range(100)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 99
    assert await store.balance(user) == 0


async def test_an_account_that_nobody_opened_is_not_found(store: Store) -> None:
    expect_problem(await store.http.get(store.account_url(new_user())), 404, code="account_not_found")


async def test_the_gateway_and_the_service_know_the_same_accounts(store: Store, gateway: Store) -> None:
    user = await store.open_account(funds="12.34")
    assert await gateway.balance(user) == await store.balance(user)
    expect_problem(await gateway.http.post(gateway.accounts, {"userId": user}), 409, code="account_exists")


async def test_a_well_formed_user_id_comes_back_as_it_was_given(store: Store) -> None:
    async def comes_back(pattern: str) -> None:
        user = pattern.format(new_user().removeprefix("user-"))
        answer = await store.http.post(store.accounts, {"userId": user})
        assert expect(201, answer)["userId"] == user
        assert expect(200, await store.http.get(answer.location))["userId"] == user
        assert money((await store.deposit(user, "1.00"))["balance"]) == 1

    await for_each(USER_IDS, comes_back)


@pytest.mark.parametrize("user", ["a", "Z", "0", "7", LONGEST, "admission", "batch", "deposit"])
async def test_a_user_id_has_1_to_128_characters_and_may_be_part_of_a_route(store: Store, user: str) -> None:
    assert (await store.http.post(store.accounts, {"userId": user})).status in (201, 409)
    assert expect(200, await store.http.get(store.account_url(user)))["userId"] == user


@pytest.mark.parametrize("digits", [9, 18, 30])
async def test_an_integer_user_id_means_its_decimal_string(store: Store, digits: int) -> None:
    number = SystemRandom().randrange(10 ** (digits - 1), 10**digits)
    assert expect(201, await store.http.post(store.accounts, {"userId": number}))["userId"] == str(number)
    expect_problem(await store.http.post(store.accounts, {"userId": str(number)}), 409, code="account_exists")
    await store.deposit(str(number), "3.00")
    order = expect(201, await store.http.post(store.orders, {"userId": number, "amount": 1}))
    assert order["userId"] == str(number)
    assert [found["id"] for found in await store.orders_of(str(number))] == [order["id"]]


async def test_a_malformed_user_id_is_named(store: Store) -> None:
    async def refused(user: object) -> None:
        opening, order = {"userId": user}, {"userId": user, "amount": 1}
        expect_problem(await store.http.post(store.accounts, opening), 400, field="userId")
        expect_problem(await store.http.post(store.orders, order), 400, field="userId")

    await for_each(NOT_USER_IDS, refused)


async def test_a_malformed_user_id_in_a_path_is_named(store: Store) -> None:
    async def refused(user: str) -> None:
        account = f"{store.accounts}/{user}"
        expect_problem(await store.http.get(account), 400, field="userId")
        expect_problem(await store.http.post(f"{account}/deposit", {"amount": 1}), 400, field="userId")
        expect_problem(await store.http.get(f"{account}/deposit?amount=1"), 400, field="userId")

    await for_each(["u" * 200, "_a", "a%2Fb", "a%20b", "%C3%A9", "%00", "%FF", "a%0A"], refused)

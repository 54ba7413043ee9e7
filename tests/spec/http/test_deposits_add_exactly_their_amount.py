"""A top-up adds exactly its amount, by POST or by the original GET."""

import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from urllib.parse import urljoin

import pytest

from tests.servers.shop import ThreeServices
from tests.spec.scenario import (
    ACCOUNT_FIELDS,
    Answer,
    Http,
    expect,
    expect_problem,
    moment,
    money,
    new_user,
    together,
)
from tests.spec.store import Store

DepositBy = Callable[[Store, str, str], Awaitable[Answer]]


async def by_post(store: Store, user: str, amount: str) -> Answer:
    return await store.http.post(store.deposit_url(user), f'{{"amount": {amount}}}')


async def by_get(store: Store, user: str, amount: str) -> Answer:
    return await store.http.get(f"{store.deposit_url(user)}?amount={amount}")


either_way = pytest.mark.parametrize("deposit", [by_post, by_get])


@either_way
async def test_a_deposit_answers_the_account_right_after_it(store: Store, deposit: DepositBy) -> None:
    user = await store.open_account(funds="0.50")
    answer = await deposit(store, user, "50")
    body = expect(200, answer)
    assert body.keys() == ACCOUNT_FIELDS | {"transactionId"}
    assert (body["userId"], body["currency"]) == (user, "RUB")
    assert b'"balance":50.50' in answer.body.replace(b" ", b"")
    moment(body["createdAt"])
    account = expect(200, await store.http.get(store.account_url(user)))
    assert account == {name: body[name] for name in ACCOUNT_FIELDS}


@either_way
async def test_each_deposit_has_its_own_transaction(store: Store, deposit: DepositBy) -> None:
    user = await store.open_account()
    first, second = [(await deposit(store, user, "1.00")).json["transactionId"] for _ in range(2)]
    assert isinstance(first, str)
    assert first != second


@either_way
async def test_a_deposit_to_nobody_is_refused(store: Store, deposit: DepositBy) -> None:
    expect_problem(await deposit(store, new_user(), "1.00"), 404, code="account_not_found")


@either_way
async def test_concurrent_deposits_all_count_and_each_sees_its_own_balance(
    store: Store, deposit: DepositBy
) -> None:
    user = await store.open_account()
    answers = await together(*(deposit(store, user, "0.01") for _ in range(50)))
    balances = {money(expect(200, answer)["balance"]) for answer in answers}
    assert balances == {Decimal(cents) / 100 for cents in range(1, 51)}
    assert await store.balance(user) == Decimal("0.50")


async def test_the_deposit_by_get_says_that_it_is_deprecated_and_names_its_successor(store: Store) -> None:
    user = await store.open_account()
    answer = await by_get(store, user, "1.00")
    assert re.fullmatch(r"@\d+", answer.headers["Deprecation"])
    link = re.fullmatch(r'<([^>]+)>; *rel="successor-version"', answer.headers["Link"])
    assert link
    assert urljoin(answer.url, link[1]) == store.deposit_url(user)
    assert "Deprecation" not in (await by_post(store, user, "1.00")).headers


async def test_the_deposit_by_get_is_never_cached(store: Store) -> None:
    user = new_user()
    before = await by_get(store, user, "1.00")
    expect_problem(before, 404)
    await store.http.post(store.accounts, {"userId": user})
    after = await by_get(store, user, "1.00")
    expect(200, after)
    assert before.headers["Cache-Control"] == after.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("query", ["", "?", "?sum=1", "?amount=1&amount=2"])
async def test_the_deposit_by_get_wants_one_amount(store: Store, bystander: str, query: str) -> None:
    async with store.nothing_changes_for(bystander):
        refused = await store.http.get(store.deposit_url(bystander) + query)
        expect_problem(refused, 400, field="amount")
        assert refused.headers["Cache-Control"] == "no-store"
        assert refused.headers["Deprecation"]


async def test_the_deposit_by_get_can_be_switched_off(three_services: ThreeServices, http: Http) -> None:
    user = await Store.at_the_gateway(http, three_services).open_account(funds="1.00")
    async with three_services.others(
        ("payments", {"SHOP_LEGACY_ROUTES": "off"}), ("gateway", {"SHOP_LEGACY_ROUTES": "off"})
    ) as (payments, gateway):
        for accounts in (f"{payments}/api/Accounts", f"{gateway}/accounts"):
            store = Store(http, accounts, three_services.orders)
            refused = await by_get(store, user, "1.00")
            expect_problem(refused, 405)
            allowed = refused.headers["Allow"].split(", ")
            assert "POST" in allowed
            assert "GET" not in allowed
            await store.deposit(user, "2.00")
    assert await Store.at_the_gateway(http, three_services).balance(user) == 5

"""An account's statement shows every transfer that made its balance, newest first."""

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from tests.spec.scenario import expect, expect_problem, moment, money, new_user, next_page
from tests.spec.store import Store

FIELDS = {"id", "sequence", "kind", "amount", "balanceAfter", "createdAt"}
MALFORMED_PAGES = {
    "limit": ["0", "501", "x"],
    "after": ["-1", "1.5", "", "01970000-0000-7000-8000-000000000000", str(2**63)],
}


async def statement(store: Store, user: str) -> list[Any]:
    return list(expect(200, await store.http.get(store.statement_url(user))))


async def test_deposits_and_payments_are_shown_newest_first_with_the_balance_after_each(store: Store) -> None:
    user = await store.open_account()
    deposited = await store.deposit(user, "60.00")
    order = await store.decided((await store.placed(user, "49.90"))["id"])
    answer = await store.http.get(store.statement_url(user))
    paid, topped_up = expect(200, answer)
    assert paid.keys() == FIELDS | {"orderId"}
    assert (paid["sequence"], paid["kind"], paid["orderId"]) == (2, "capture", order["id"])
    assert (str(money(paid["amount"])), str(money(paid["balanceAfter"]))) == ("-49.90", "10.10")
    assert topped_up.keys() == FIELDS
    assert (topped_up["sequence"], topped_up["kind"]) == (1, "deposit")
    assert topped_up["id"] == deposited["transactionId"]
    assert (str(money(topped_up["amount"])), str(money(topped_up["balanceAfter"]))) == ("60.00", "60.00")
    assert moment(topped_up["createdAt"]) <= moment(paid["createdAt"])


async def test_each_balance_is_the_one_before_it_and_the_amount(store: Store) -> None:
    user = await store.open_account()
    for amount in ("5.00", "0.01", "70.10"):
        await store.deposit(user, amount)
    outcomes = await store.in_batch(*({"userId": user, "amount": amount} for amount in (1, "2.50", 30)))
    for outcome in outcomes:
        await store.decided(outcome["order"]["id"])
    lines = await statement(store, user)
    assert [line["sequence"] for line in lines] == [6, 5, 4, 3, 2, 1]
    balances = [line["balanceAfter"] for line in lines] + [Decimal(0)]
    assert balances[0] == await store.balance(user)
    for line, after, before in zip(lines, balances, balances[1:], strict=False):
        assert after == before + line["amount"]


async def test_a_refused_order_leaves_no_line(store: Store) -> None:
    user = await store.open_account(funds="15.00")
    outcomes = await store.in_batch(*({"userId": user, "amount": 10} for _ in range(2)))
    for outcome in outcomes:
        await store.decided(outcome["order"]["id"])
    assert [line["kind"] for line in await statement(store, user)] == ["capture", "deposit"]


async def test_a_new_account_has_an_empty_statement(store: Store) -> None:
    assert await statement(store, await store.open_account()) == []


async def test_a_user_without_an_account_has_no_statement(store: Store) -> None:
    for query in ("", "?after=5"):
        answer = await store.http.get(store.statement_url(new_user()) + query)
        expect_problem(answer, 404, code="account_not_found")
    expect_problem(await store.http.get(store.statement_url("a b")), 400, field="userId")


async def test_pages_show_nothing_twice_and_all_that_was_there_before_the_first(store: Store) -> None:
    user = await store.open_account()
    for _ in range(7):
        await store.deposit(user, "1.00")
    shown: list[int] = []
    url: str | None = f"{store.statement_url(user)}?limit=3"
    while url:
        page = await store.http.get(url)
        shown += [line["sequence"] for line in expect(200, page)]
        url = next_page(page)
        await store.deposit(user, "1.00")
    assert shown == [7, 6, 5, 4, 3, 2, 1]


async def test_a_page_that_shows_the_last_line_has_no_link(store: Store) -> None:
    user = await store.open_account()
    for _ in range(4):
        await store.deposit(user, "1.00")
    url = store.statement_url(user)
    links = {limit: next_page(await store.http.get(f"{url}?limit={limit}")) for limit in (1, 3, 4, 500)}
    assert [limit for limit, link in links.items() if link] == [1, 3]
    assert next_page(await store.http.get(f"{url}?limit=2&after=3")) is None
    assert expect(200, await store.http.get(f"{url}?after=1")) == []


async def test_a_link_leads_back_to_the_route_that_was_asked(store: Store) -> None:
    user = f"{new_user()}|a:b@c"
    await store.http.post(store.accounts, {"userId": user})
    for _ in range(3):
        await store.deposit(user, "1.00")
    link = next_page(await store.http.get(f"{store.statement_url(user)}?limit=2"))
    assert link
    route, _, query = link.partition("?")
    assert route == store.statement_url(user)
    assert dict(parse_qsl(query, strict_parsing=True)) == {"limit": "2", "after": "2"}
    assert [line["sequence"] for line in expect(200, await store.http.get(link))] == [1]


async def test_a_malformed_page_is_named(store: Store, bystander: str) -> None:
    for field, values in MALFORMED_PAGES.items():
        for value in values:
            answer = await store.http.get(f"{store.statement_url(bystander)}?{field}={value}")
            expect_problem(answer, 400, field=field)

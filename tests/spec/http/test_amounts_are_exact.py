"""Amounts are exact decimal numbers, whether written as a JSON number, a JSON string or query text."""

import json
from decimal import Decimal
from urllib.parse import quote

import pytest

from tests.spec.scenario import Answer, expect, expect_problem, for_each, money, together
from tests.spec.store import Store

AMOUNTS = ["0.01", "0.1", "0.10", "1", "10.5", "999999999999", "999999999999.9", "999999999999.99"]

NOT_POSITIVE = ["0", "0.0", "0.00", "-0", "-1", "-0.01"]
TOO_FINE = ["0.001", "0.005", "10.000", "0.010"]
TOO_LARGE = ["1000000000000", "1000000000000.00", "1000000000000000", "9" * 40]
WITH_EXPONENT = ["1e0", "1E2", "1e-1", "1e400", "1e-400", "1e999999999"]
NUMBERS_NOT_AMOUNTS = NOT_POSITIVE + TOO_FINE + TOO_LARGE + WITH_EXPONENT
TEXTS_NOT_AMOUNTS = [
    *NUMBERS_NOT_AMOUNTS, "", " ", "abc", "true", "null", "NaN", "nan", "sNaN", "Infinity", "-Infinity",
    "+5", "05", "00.50", ".5", "5.", ".", "1.2.3", "--1", "1_000", "1 000", "1,000", "1,50", "0x10",
    " 5", "5 ", "5\n", "5\u0000", "٣", "\uff15", "5€", "9" * 5000,
]  # fmt: skip
NOT_JSON = ["NaN", "Infinity", "-Infinity", "+5", "05", ".5", "5.", "1_000", "0x10", "1.e2", "abc", ""]
OTHER_TYPES = ["true", "false", "null", "[]", "[1]", "{}", '{"amount": 1}']

SUMS = [
    (["0.10", "0.20"], "0.30"),
    (["0.1", "0.2", "0.3"], "0.60"),
    (["1.15", "4.35", "0.29"], "5.79"),
    (["999999999999.99", "0.01"], "1000000000000.00"),
    (["999999999999.99"] * 9 + ["0.01"], "8999999999999.92"),
]

CARRIERS = [f"{kind} {act}" for act in ("of a deposit", "of an order") for kind in ("a number", "a text")] + [
    "query text of a deposit"
]
NUMBER_CARRIERS = [carrier for carrier in CARRIERS if carrier.startswith("a number")]


async def send(store: Store, carrier: str, user: str, amount: str) -> Answer:
    """Asks for a deposit or an order of this amount, written as the carrier says."""
    if carrier.startswith("query"):
        return await store.http.get(f"{store.deposit_url(user)}?amount={quote(amount, safe='')}")
    written = amount if carrier.startswith("a number") else json.dumps(amount)
    if carrier.endswith("an order"):
        return await store.http.post(store.orders, f'{{"userId": "{user}", "amount": {written}}}')
    return await store.http.post(store.deposit_url(user), f'{{"amount": {written}}}')


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_an_amount_is_taken_exactly_and_written_with_two_digits(store: Store, carrier: str) -> None:
    async def taken(amount: str) -> None:
        exact = Decimal(amount).quantize(Decimal("0.01"))
        if carrier.endswith("an order"):
            user = await store.open_account(funds=amount)
            order = expect(201, await send(store, carrier, user, amount))
            assert money(order["amount"]) == exact
            assert (await store.decided(order["id"]))["status"] == "FINISHED"
            assert str(await store.balance(user)) == "0.00"
        else:
            user = await store.open_account()
            deposited = expect(200, await send(store, carrier, user, amount))
            assert str(money(deposited["balance"])) == str(await store.balance(user)) == str(exact)

    await for_each(AMOUNTS, taken)


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_malformed_amount_is_named_and_changes_nothing(
    store: Store, bystander: str, carrier: str
) -> None:
    async def refused(row: tuple[str, str | None]) -> None:
        amount, field = row
        expect_problem(await send(store, carrier, bystander, amount), 400, field=field)

    named, unnamed = TEXTS_NOT_AMOUNTS, list[str]()
    if carrier in NUMBER_CARRIERS:
        named, unnamed = [*NUMBERS_NOT_AMOUNTS, *OTHER_TYPES], NOT_JSON
    async with store.nothing_changes_for(bystander):
        await for_each([(text, "amount") for text in named] + [(text, None) for text in unnamed], refused)


async def test_sums_are_exact(store: Store) -> None:
    async def exact(row: tuple[list[str], str]) -> None:
        amounts, total = row
        user = await store.open_account()
        for amount in amounts:
            deposited = expect(200, await send(store, "a number of a deposit", user, amount))
        assert str(deposited["balance"]) == str(await store.balance(user)) == total

    await for_each(SUMS, exact)


async def test_a_balance_never_exceeds_its_limit(gateway: Store) -> None:
    user = await gateway.open_account()
    await together(*(gateway.deposit(user, "999999999999.99") for _ in range(90)))
    assert str(await gateway.balance(user)) == "89999999999999.10"

    async def refused(amount: str) -> None:
        async with gateway.nothing_changes_for(user):
            answer = await send(gateway, "a text of a deposit", user, amount)
            expect_problem(answer, 422, code="balance_limit")

    await refused("999999999999.99")
    await refused("71992547410.82")
    assert str((await gateway.deposit(user, "71992547410.81"))["balance"]) == "90071992547409.91"
    await refused("0.01")

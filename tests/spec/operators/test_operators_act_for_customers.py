"""What an operator does for a customer has its effect once, keeps the books, and is recorded."""

from typing import Any
from uuid import uuid4

import pytest

from tests.servers.shop import Shop
from tests.spec.keyed import KEY
from tests.spec.scenario import Answer, expect, expect_problem, together
from tests.spec.store import Store

NOTE = {"note": "asked for by phone"}
NOBODYS = "01970000-0000-7000-8000-000000000000"


def door(gateway: Store) -> str:
    return gateway.orders.removesuffix("/orders")


async def act(gateway: Store, path: str, body: Any = NOTE, key: str | None = None) -> Answer:
    headers = [] if key is None else [(KEY, key)]
    return await gateway.http.post(f"{door(gateway)}/ops{path}", body, headers=headers)


async def recorded(gateway: Store, user: str) -> list[tuple[str, str, str]]:
    """The newest acts about the user: what was done, by whom, and why."""
    page = expect(200, await gateway.http.get(f"{door(gateway)}/ops/record?limit=500"))
    assert page["unknown"] == []
    acts = [act for act in page["acts"] if act.get("userId") == user]
    return [(act["did"], act["operator"], act["note"]) for act in acts]


async def test_a_frozen_account_takes_no_orders_and_no_deposits_until_it_is_thawed(gateway: Store) -> None:
    user = await gateway.open_account(funds="60.00")
    paid = await gateway.decided((await gateway.placed(user, "10.00"))["id"])
    keyed = [(KEY, "before")]
    order, deposit = {"userId": user, "amount": 1}, {"amount": 1}
    before = expect(201, await gateway.http.post(gateway.orders, order, headers=keyed))
    await gateway.decided(before["id"])  # Else the freeze may be faster, and the order is declined.
    expect(200, await gateway.http.post(gateway.deposit_url(user), deposit, headers=keyed))
    frozen = expect(200, await act(gateway, f"/accounts/{user}/freeze"))
    assert frozen["frozen"] is True
    assert expect(200, await gateway.http.get(gateway.account_url(user))) == frozen
    async with gateway.nothing_changes_for(user):
        expect_problem(await gateway.http.post(gateway.orders, order), 403, code="account_frozen")
        [outcome] = expect(200, await gateway.http.post(gateway.batch, [order]))
        assert outcome["problem"]["code"] == "account_frozen"
        expect_problem(
            await gateway.http.post(gateway.deposit_url(user), deposit), 403, code="account_frozen"
        )
        by_get = await gateway.http.get(f"{gateway.deposit_url(user)}?amount=1")
        expect_problem(by_get, 403, code="account_frozen")
        for url, body, status in ((gateway.orders, order, 201), (gateway.deposit_url(user), deposit, 200)):
            again = await gateway.http.post(url, body, headers=keyed)
            expect(status, again)
            assert again.headers["Idempotency-Replayed"] == "true"
    expect(202, await gateway.cancel(paid["id"]))
    assert (await gateway.ended(paid["id"]))["status"] == "REFUNDED"
    assert "frozen" not in expect(200, await act(gateway, f"/accounts/{user}/unfreeze"))
    expect(200, await gateway.http.post(gateway.deposit_url(user), deposit))
    assert (await gateway.decided((await gateway.placed(user, "1.00"))["id"]))["status"] == "FINISHED"
    did = [("unfreeze_account", "anyone", NOTE["note"]), ("freeze_account", "anyone", NOTE["note"])]
    assert await recorded(gateway, user) == did


async def test_a_correction_is_booked_once_a_key_and_shows_in_the_statement(
    gateway: Store, shop: Shop
) -> None:
    user, key = await gateway.open_account(funds="60.00"), uuid4().hex
    correction = {"amount": "-10.50", **NOTE}
    answers = await together(*(act(gateway, f"/accounts/{user}/correct", correction, key) for _ in range(20)))
    assert {str(expect(200, answer)["balance"]) for answer in answers} == {"49.50"}
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers].count(None) == 1
    up = expect(200, await act(gateway, f"/accounts/{user}/correct", {"amount": 0.25, **NOTE}, "up"))
    lines = expect(200, await gateway.http.get(gateway.statement_url(user)))
    assert [(line["kind"], str(line["amount"]), str(line["balanceAfter"])) for line in lines] == [
        ("correction", "0.25", "49.75"),
        ("correction", "-10.50", "49.50"),
        ("deposit", "60.00", "60.00"),
    ]
    assert lines[0]["id"] == up["transactionId"]
    assert await recorded(gateway, user) == [("correct_account", "anyone", NOTE["note"])] * 2
    await shop.says("audit")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"amount": "-60.01", **NOTE}, 402, "insufficient_funds", None),
        ({"amount": "0", **NOTE}, 400, "invalid_request", "amount"),
        ({"amount": "-0.00", **NOTE}, 400, "invalid_request", "amount"),
        ({"amount": "--1", **NOTE}, 400, "invalid_request", "amount"),
        ({"amount": 1e300, **NOTE}, 400, "invalid_request", "amount"),
        ({"amount": 1}, 400, "invalid_request", "note"),
        ({"amount": 1, "note": ""}, 400, "invalid_request", "note"),
        ({"amount": 1, "note": " \t\n\u2003"}, 400, "invalid_request", "note"),
        ({"amount": 1, "note": "a\0b"}, 400, "invalid_request", "note"),
        ({"amount": 1, "note": "x" * 501}, 400, "invalid_request", "note"),
    ],
)
async def test_a_correction_that_is_refused_changes_nothing(
    gateway: Store, body: Any, status: int, code: str, field: str | None
) -> None:
    user = await gateway.open_account(funds="60.00")
    async with gateway.nothing_changes_for(user):
        answer = await act(gateway, f"/accounts/{user}/correct", body, "k")
        expect_problem(answer, status, code=code, field=field)
    assert await recorded(gateway, user) == []


async def test_a_correction_needs_a_key_which_is_no_key_of_a_deposit(gateway: Store) -> None:
    user = await gateway.open_account(funds="60.00")
    path, body = f"/accounts/{user}/correct", {"amount": 1, **NOTE}
    expect_problem(await act(gateway, path, body), 400, field=KEY)
    expect(200, await act(gateway, path, body, "k"))
    expect_problem(await act(gateway, path, {"amount": 2, **NOTE}, "k"), 422, code="idempotency_key_reused")
    expect(200, await gateway.http.post(gateway.deposit_url(user), {"amount": 7}, headers=[(KEY, "k")]))
    assert str(await gateway.balance(user)) == "68.00"


async def test_an_order_is_cancelled_for_a_customer_with_a_note(gateway: Store) -> None:
    user = await gateway.open_account(funds="60.00")
    order_id = (await gateway.decided((await gateway.placed(user, "10.00"))["id"]))["id"]
    expect_problem(await act(gateway, f"/orders/{order_id}/cancel", {}), 400, field="note")
    first, second = [await act(gateway, f"/orders/{order_id}/cancel") for _ in range(2)]
    assert expect(202, first)["status"] == "REFUNDING"
    assert first.location == gateway.order_url(order_id)
    if second.status != 202:  # The refund was faster.
        expect_problem(second, 409, code="order_refunded")
    assert (await gateway.ended(order_id))["status"] == "REFUNDED"
    expect_problem(await act(gateway, f"/orders/{order_id}/cancel"), 409, code="order_refunded")
    assert await recorded(gateway, user) == [("cancel_order", "anyone", NOTE["note"])]


@pytest.mark.parametrize("note", ["", " ", "\n\t", "\u2003\u2028"])
async def test_a_note_says_something(gateway: Store, note: str) -> None:
    user = await gateway.open_account(funds="60.00")
    order_id = (await gateway.placed(user, "10.00"))["id"]
    for path in (f"/accounts/{user}/freeze", f"/accounts/{user}/unfreeze", f"/orders/{order_id}/cancel"):
        expect_problem(await act(gateway, path, {"note": note}), 400, field="note")
    assert (await gateway.decided(order_id))["status"] == "FINISHED"
    assert await recorded(gateway, user) == []


async def test_operators_who_freeze_and_thaw_at_once_are_recorded_as_they_took_turns(gateway: Store) -> None:
    user = await gateway.open_account()
    turns = [f"/accounts/{user}/{did}" for _ in range(10) for did in ("freeze", "unfreeze")]
    answers = await together(*(act(gateway, path) for path in turns))
    assert {answer.status for answer in answers} == {200}
    account = expect(200, await gateway.http.get(gateway.account_url(user)))
    did = [name for name, _, _ in reversed(await recorded(gateway, user))]
    assert did == (["freeze_account", "unfreeze_account"] * len(did))[: len(did)]
    assert len(did) % 2 == account.get("frozen", False)


async def test_an_account_or_order_that_does_not_exist_is_not_found(gateway: Store) -> None:
    for path in ("freeze", "unfreeze", "correct"):
        body = {"amount": 1, **NOTE} if path == "correct" else NOTE
        missing = await act(gateway, f"/accounts/nobody-{uuid4().hex}/{path}", body, "k")
        expect_problem(missing, 404, code="account_not_found")
    expect_problem(await act(gateway, f"/orders/{NOBODYS}/cancel"), 404, code="order_not_found")

"""An account tells what its balance was at a time (`?at=`)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

from tests.spec.scenario import (
    ACCOUNT_FIELDS,
    Answer,
    expect,
    expect_problem,
    for_each,
    moment,
    money,
    new_user,
)
from tests.spec.store import Store

MALFORMED = [
    "", "null", "now", "1767225600", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00 03:00", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00",
]  # fmt: skip


async def account_at(store: Store, user: str, at: datetime | str) -> Answer:
    text = at if isinstance(at, str) else at.isoformat()
    return await store.http.get(f"{store.account_url(user)}?at={quote(text, safe='')}")


async def test_the_balance_of_each_transfers_time_is_the_one_after_it(store: Store) -> None:
    user = await store.open_account(funds="60.00")
    order = await store.decided((await store.placed(user, "49.90"))["id"])
    await store.deposit(user, "0.10")
    await store.cancelled(order["id"])
    account = expect(200, await store.http.get(store.account_url(user)))
    lines = expect(200, await store.http.get(store.statement_url(user)))
    assert len(lines) == 4
    for line in lines:
        found = expect(200, await account_at(store, user, line["createdAt"]))
        assert found.keys() == ACCOUNT_FIELDS
        assert money(found["balance"]) == line["balanceAfter"]
        assert found | {"balance": None} == account | {"balance": None}
    for later, earlier in pairwise(lines):
        just_before = moment(later["createdAt"]) - timedelta(microseconds=1)
        offset = just_before.astimezone().isoformat()
        assert expect(200, await account_at(store, user, offset))["balance"] == earlier["balanceAfter"]


async def test_a_new_account_was_empty_and_before_that_it_was_not_there(store: Store) -> None:
    user = await store.open_account(funds="5.00")
    opened = moment(expect(200, await store.http.get(store.account_url(user)))["createdAt"])
    at_once = await account_at(store, user, opened)
    assert str(money(expect(200, at_once)["balance"])) == "0.00"
    before = await account_at(store, user, opened - timedelta(microseconds=1))
    expect_problem(before, 404, code="account_not_found")
    expect_problem(await account_at(store, new_user(), opened), 404, code="account_not_found")


async def test_a_future_or_malformed_time_is_named(store: Store, bystander: str) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    async def refused(at: datetime | str) -> None:
        expect_problem(await account_at(store, bystander, at), 400, field="at")

    await for_each([*MALFORMED, tomorrow], refused)
    expect_problem(await account_at(store, new_user(), tomorrow), 400, field="at")
    plus = await store.http.get(f"{store.account_url(bystander)}?at=2026-01-01T00:00:00+03:00")
    expect_problem(plus, 400, field="at")

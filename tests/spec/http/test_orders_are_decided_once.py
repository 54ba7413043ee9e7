"""An order is accepted when it could be paid now, and decided exactly once after that."""

from urllib.parse import parse_qsl

import pytest

from tests.spec.scenario import (
    assert_order,
    expect,
    expect_problem,
    for_each,
    moment,
    new_user,
    next_page,
    together,
)
from tests.spec.store import Store

MALFORMED_FILTERS = {
    "status": ["PAID", "new", "", "null"],
    "userId": ["", "a%2Fb", "%00", "u" * 200],
    "limit": ["0", "501", "-1", "1.5", "many", ""],
    "after": ["null", "1", "", "01970000-0000-7000-8000-00000000000g"],
}


async def test_an_accepted_order_is_new_and_has_a_location(store: Store) -> None:
    user = await store.open_account(funds="60.00")
    wish = {"userId": user, "amount": 50, "description": "Ten brushes"}
    answer = await store.http.post(store.orders, wish)
    order = expect(201, answer)
    assert_order(order, userId=user, currency="RUB", description="Ten brushes", status="NEW", reason=None)
    assert b'"amount":50.00' in answer.body.replace(b" ", b"")
    assert order["createdAt"] == order["updatedAt"]
    assert answer.location == store.order_url(order["id"])
    assert expect(200, await store.http.get(answer.location))["id"] == order["id"]


async def test_an_order_that_can_be_paid_is_finished_and_paid_once(store: Store) -> None:
    user = await store.open_account(funds="60.00")
    placed = await store.placed(user, "49.99")
    order = await store.decided(placed["id"])
    assert_order(order, status="FINISHED", reason=None)
    unchanged = placed.keys() - {"status", "updatedAt"}
    assert {name: order[name] for name in unchanged} == {name: placed[name] for name in unchanged}
    assert str(await store.balance(user)) == "10.01"


async def test_an_order_may_spend_the_whole_balance(store: Store) -> None:
    user = await store.open_account(funds="7.77")
    assert (await store.decided((await store.placed(user, "7.77"))["id"]))["status"] == "FINISHED"
    assert str(await store.balance(user)) == "0.00"


async def test_an_order_without_an_account_is_refused_and_not_stored(store: Store) -> None:
    user = new_user()
    expect_problem(await store.order(user, "1.00"), 422, code="account_not_found")
    assert await store.orders_of(user) == []


async def test_an_order_above_the_balance_is_refused_and_not_stored(store: Store) -> None:
    user = await store.open_account(funds="10.00")
    async with store.nothing_changes_for(user):
        expect_problem(await store.order(user, "10.01"), 402, code="insufficient_funds")
    assert await store.orders_of(user) == []


async def test_of_100_concurrent_orders_only_those_that_the_balance_covers_are_finished(store: Store) -> None:
    user = await store.open_account(funds="55.00")
    answers = await together(*(store.order(user, "10.00") for _ in range(100)))
    accepted = [answer.json["id"] for answer in answers if answer.status == 201]
    assert {answer.status for answer in answers} <= {201, 402}
    orders = await together(*(store.decided(order_id, within=20) for order_id in accepted))
    outcomes = [(order["status"], order["reason"]) for order in orders]
    assert outcomes.count(("FINISHED", None)) == 5
    assert outcomes.count(("CANCELLED", "insufficient_funds")) == len(outcomes) - 5
    assert str(await store.balance(user)) == "5.00"


async def test_a_missing_description_is_empty(store: Store) -> None:
    user = await store.open_account(funds="1.00")
    order = expect(201, await store.http.post(store.orders, {"userId": user, "amount": "1.00"}))
    assert order["description"] == ""


async def test_a_description_comes_back_as_it_was_given(store: Store) -> None:
    user = await store.open_account(funds="5.00")

    async def comes_back(description: str) -> None:
        order = expect(201, await store.order(user, "1.00", description))
        assert order["description"] == description
        assert (await store.decided(order["id"]))["description"] == description

    await for_each(["", "x" * 500, "🍎" * 500, 'Ёж "quoted" \\ \n\t<b>', "\u2028\x01\x7f"], comes_back)


async def test_a_malformed_description_is_named(store: Store, bystander: str) -> None:
    async def refused(description: object) -> None:
        wish = {"userId": bystander, "amount": 1, "description": description}
        expect_problem(await store.http.post(store.orders, wish), 400, field="description")

    async with store.nothing_changes_for(bystander):
        await for_each(["x" * 501, "a\u0000b", 5, 1.5, True, [], {}], refused)


async def test_equal_orders_without_a_key_are_all_placed_and_listed_oldest_first(store: Store) -> None:
    user, other = await store.open_account(funds="10.00"), await store.open_account(funds="10.00")
    placed = []
    for _ in range(5):
        placed.append((await store.placed(user, "1.00"))["id"])
        await store.placed(other, "1.00")
    orders = await together(*map(store.decided, placed))
    assert await store.orders_of(user) == orders


async def test_orders_are_listed_by_their_status(store: Store) -> None:
    user = await store.open_account(funds="15.00")
    outcomes = await store.in_batch(*({"userId": user, "amount": 10} for _ in range(2)))
    orders = await together(*(store.decided(outcome["order"]["id"]) for outcome in outcomes))
    for status in ("FINISHED", "CANCELLED"):
        assert await store.orders_of(user, status=status) == [
            order for order in orders if order["status"] == status
        ]
    assert await store.orders_of(user, status="NEW") == []


async def test_orders_are_listed_without_a_user_too(store: Store) -> None:
    listed = expect(200, await store.http.get(store.orders))
    assert isinstance(listed, list)
    finished = expect(200, await store.http.get(f"{store.orders}?status=FINISHED"))
    assert {order["status"] for order in finished} <= {"FINISHED"}


async def test_a_malformed_filter_is_named(store: Store) -> None:
    for field, values in MALFORMED_FILTERS.items():
        for value in values:
            expect_problem(await store.http.get(f"{store.orders}?{field}={value}"), 400, field=field)


async def test_pages_show_nothing_twice_and_all_that_was_there_before_the_first(store: Store) -> None:
    user = await store.open_account(funds="20.00")
    before = [(await store.placed(user, "1.00"))["id"] for _ in range(7)]
    shown: list[str] = []
    url: str | None = f"{store.orders}?userId={user}&limit=3"
    while url:
        page = await store.http.get(url)
        shown += [order["id"] for order in expect(200, page)]
        url = next_page(page)
        assert len(page.json) == 3 or not url
        if len(shown) < len(before):
            await store.placed(user, "1.00")
    assert [order_id for order_id in shown if order_id in before] == before
    assert len(set(shown)) == len(shown)


async def test_a_page_that_shows_the_last_order_has_no_link(store: Store) -> None:
    user = await store.open_account(funds="4.00")
    orders = [(await store.placed(user, "1.00"))["id"] for _ in range(4)]
    query = f"{store.orders}?userId={user}"
    links = {limit: next_page(await store.http.get(f"{query}&limit={limit}")) for limit in (1, 3, 4, 500)}
    assert [limit for limit, link in links.items() if link] == [1, 3]
    assert next_page(await store.http.get(f"{query}&limit=2&after={orders[1]}")) is None
    assert next_page(await store.http.get(f"{query}&after={orders[3]}")) is None


async def test_a_link_leads_back_to_the_route_that_was_asked_and_keeps_the_filters(store: Store) -> None:
    user = await store.open_account(funds="3.00")
    placed = [(await store.placed(user, "1.00"))["id"] for _ in range(3)]
    await together(*map(store.decided, placed))
    link = next_page(await store.http.get(f"{store.orders}?userId={user}&status=FINISHED&limit=2"))
    assert link
    route, _, query = link.partition("?")
    assert route == store.orders
    filters = {"userId": user, "status": "FINISHED", "limit": "2", "after": placed[1]}
    assert dict(parse_qsl(query, strict_parsing=True)) == filters


async def test_the_gateway_and_the_service_know_the_same_orders(store: Store, gateway: Store) -> None:
    user = await store.open_account(funds="2.00")
    order = await store.decided((await store.placed(user, "1.00"))["id"])
    assert expect(200, await gateway.http.get(gateway.order_url(order["id"]))) == order
    assert await gateway.orders_of(user) == await store.orders_of(user) == [order]


@pytest.mark.parametrize(
    "order_id", ["01970000-0000-7000-8000-000000000000", "906dd678-078d-4a37-95d7-dbdd0b08c5ab"]
)
async def test_an_order_that_nobody_placed_is_not_found(store: Store, order_id: str) -> None:
    expect_problem(await store.http.get(store.order_url(order_id)), 404, code="order_not_found")


@pytest.mark.parametrize(
    "order_id", ["1", "abc", "01970000-0000-7000-8000-00000000000g", "%00", "%FF", "u" * 200]
)
async def test_an_order_id_that_is_no_uuid_is_named(store: Store, order_id: str) -> None:
    expect_problem(await store.http.get(store.order_url(order_id)), 400, field="id")


async def test_the_history_of_an_order_is_every_status_that_it_had(store: Store) -> None:
    user = await store.open_account(funds="15.00")
    outcomes = await store.in_batch(*({"userId": user, "amount": 10} for _ in range(2)))
    for placed in (outcome["order"] for outcome in outcomes):
        order = await store.decided(placed["id"])
        first, second = expect(200, await store.http.get(store.history_url(order["id"])))
        assert first == {"sequence": 1, "status": "NEW", "reason": None, "at": order["createdAt"]}
        assert second == {
            "sequence": 2,
            "status": order["status"],
            "reason": order["reason"],
            "at": order["updatedAt"],
        }
        assert moment(first["at"]) < moment(second["at"])


async def test_a_history_can_be_read_on_from_where_one_was(store: Store) -> None:
    user = await store.open_account(funds="1.00")
    url = store.history_url((await store.decided((await store.placed(user, "1.00"))["id"]))["id"])
    pages = [expect(200, await store.http.get(f"{url}?after={after}")) for after in (0, 1, 2, 2**63 - 1)]
    assert [[change["sequence"] for change in page] for page in pages] == [[1, 2], [2], [], []]


async def test_an_order_that_nobody_placed_has_no_history(store: Store) -> None:
    for query in ("", "?after=1"):
        answer = await store.http.get(store.history_url("906dd678-078d-4a37-95d7-dbdd0b08c5ab") + query)
        expect_problem(answer, 404, code="order_not_found")


@pytest.mark.parametrize("after", ["", "-1", "x", "1.5", str(2**63)])
async def test_a_malformed_place_in_a_history_is_named(store: Store, after: str) -> None:
    url = store.history_url("01970000-0000-7000-8000-000000000000")
    expect_problem(await store.http.get(f"{url}?after={after}"), 400, field="after")

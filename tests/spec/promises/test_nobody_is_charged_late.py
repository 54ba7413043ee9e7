"""An order that payments meets after its time (`payBy`) is never charged; one without a time is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.servers.process import eventually
from tests.servers.shop import ThreeServices
from tests.spec.promises.test_what_was_lost_is_asked_for_again import ASKED_AGAIN_WITHIN, something_waits_for
from tests.spec.scenario import Http, expect, expect_problem
from tests.spec.store import Store

# Stands for hours of outage: payments is away until after this.
OUTAGE = timedelta(seconds=2)


async def placed_during_an_outage(store: Store, user: str) -> tuple[list[str], list[str]]:
    """The ids of orders whose time is over now, and of others that were placed with them."""
    soon = (datetime.now(UTC) + OUTAGE).isoformat()
    hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    wishes = [{"userId": user, "amount": "1.00", "payBy": pay_by} for pay_by in (soon, soon, hour, None)]
    late, cancelled, in_time, untimed = [
        str(outcome["order"]["id"]) for outcome in await store.in_batch(*wishes)
    ]
    expect(202, await store.cancel(cancelled))

    async def is_over() -> bool:
        answer = await store.http.post(store.orders, wishes[0])
        if answer.status == 422:
            expect_problem(answer, 422, code="expired")
            return True
        expect(202, await store.cancel(answer.json["id"]))
        return False

    await eventually(is_over)
    return [late, cancelled], [in_time, untimed]


async def assert_decided(store: Store, user: str, late: list[str], others: list[str]) -> None:
    async def end_of(order_id: str) -> Any:
        order = await store.decided(order_id, within=ASKED_AGAIN_WITHIN)
        return order["status"], order["reason"]

    assert [await end_of(order_id) for order_id in others] == [("FINISHED", None)] * 2
    assert await end_of(late[0]) == ("CANCELLED", "expired")
    # Either came first at payments: the order, whose time was over, or its cancellation.
    assert await end_of(late[1]) in (("CANCELLED", "expired"), ("CANCELLED", "cancelled_by_user"))
    assert str(await store.balance(user)) == "8.00"


@pytest.mark.parametrize("destroyed", [False, True], ids=["as they were sent", "asked for again"])
async def test_after_an_outage_orders_whose_time_is_over_are_declined(
    three_services: ThreeServices, http: Http, destroyed: bool
) -> None:
    """Also where the requests to pay were lost: the repeated ones say the time to pay again."""
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    async with three_services.without("payments"):
        late, others = await placed_during_an_outage(store, user)
        if destroyed:
            await something_waits_for("payments", three_services, destroy=True)
    await assert_decided(store, user, late, others)
    await three_services.says("audit")

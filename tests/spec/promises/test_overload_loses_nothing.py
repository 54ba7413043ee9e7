"""More clients than the shop can serve: each call is answered, and what was accepted is decided once."""

import asyncio
import json
from itertools import repeat

from bench.load import get, post, run_load, run_retrying
from tests.servers.process import eventually
from tests.spec.store import Store

CLIENTS, READERS = 400, 64
ORDERS, READS = 800, 200
IMPATIENT = 0.2


async def test_no_order_that_was_accepted_under_overload_is_lost_and_no_call_hangs(gateway: Store) -> None:
    user = await gateway.open_account(funds="1000000.00")
    order = post(gateway.orders, json.dumps({"userId": user, "amount": 1}).encode())
    page = get(f"{gateway.orders}?limit=500")
    async with asyncio.timeout(60):
        written, read = await asyncio.gather(
            run_retrying(gateway.orders, repeat(order, ORDERS), connections=CLIENTS, impatient=IMPATIENT),
            run_load(gateway.orders, repeat(page, READS), connections=READERS),
        )
    assert set(written.statuses) <= {201, 429, 503}
    assert written.statuses[201] == ORDERS
    assert set(read.statuses) <= {200, 503}
    assert read.statuses[200] > 0

    async def all_decided() -> bool:
        return not await gateway.orders_of(user, status="NEW")

    await eventually(all_decided, within=30)
    assert await gateway.balance(user) == 1_000_000 - ORDERS

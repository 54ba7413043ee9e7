"""`shop audit` tells whether the books are right, also while the shop works."""

import asyncio
import json

from tests.servers.process import eventually
from tests.servers.shop import Shop
from tests.spec.load import Load
from tests.spec.store import Store

CHECKS = {"accounts", "transfers", "money", "decisions", "histories", "orders", "outboxes"}


async def test_work_under_way_is_no_fault(shop: Shop, gateway: Store, seed: str) -> None:
    load = Load(gateway, seed, clients=16, orders_per_client=40, shared_accounts=3)
    clients = asyncio.create_task(load.run())
    audits = 0
    try:
        await eventually(lambda: clients.done() or load.answered > load.size // 20, within=30, every=0.01)
        while not clients.done():
            await shop.says("audit")
            audits += 1
    finally:
        await clients
    assert audits, "the load was over before the first audit"
    await load.comes_out_even(within=30)


async def test_the_audit_of_a_shop_at_rest_counts_what_it_checked(shop: Shop, gateway: Store) -> None:
    user = await gateway.open_account(funds="20.00")
    await gateway.decided((await gateway.placed(user, "5.00"))["id"])
    report = json.loads(await shop.says("audit", "--json"))
    assert (report["sound"], report["faultCount"], report["faults"]) == (True, 0, [])
    counts = {checked["check"]: checked["count"] for checked in report["checked"]}
    assert counts.keys() == CHECKS
    assert counts["orders"] >= 1
    assert counts["transfers"] >= 2


async def test_people_are_told_in_words(shop: Shop) -> None:
    assert "Everything is as it should be." in await shop.says("audit")

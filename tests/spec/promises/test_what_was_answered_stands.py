"""Whatever is killed or cut, what was answered stands, and work goes on by itself."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from tests.servers.process import alive, descendants, eventually, start_together
from tests.servers.shop import SERVICES, Embedded, Shop, ThreeServices
from tests.spec.keyed import Change, deposit_by_post, opening, order, replayed, until_known
from tests.spec.load import Load
from tests.spec.scenario import Http, new_user, together
from tests.spec.store import Store

# The longest time to a decision once the servers answer again, as promised.
HEALED_WITHIN = 10


async def load_with_kills(shop: Shop, http: Http, seed: str, victims: Sequence[str]) -> None:
    """kill -9 in the middle of a load and a restart, of one victim after the other, and the sums."""
    load = Load(
        Store.at_the_gateway(http, shop), seed, clients=32, orders_per_client=20 * (len(victims) + 1),
        shared_accounts=5 * (len(victims) + 1), expects_faults=True,
    )  # fmt: skip
    clients = asyncio.create_task(load.run())

    def past(count: int) -> bool:
        assert not clients.done(), "the load was over before the kill"
        return load.answered > count

    try:
        for number, victim in enumerate(victims, 1):
            await eventually(partial(past, load.size * number // (len(victims) + 1)), within=60, every=0.01)
            shop.processes[victim].kill()
            await asyncio.sleep(0.2)
            await shop.processes[victim].start()
    finally:
        await restart(shop)
        await clients
    assert load.accepted
    await load.comes_out_even(within=HEALED_WITHIN)


async def restart(shop: Shop) -> None:
    """Starts what has ended."""
    await start_together(process for process in shop.processes.values() if process.exit_code is not None)


async def test_services_killed_in_turn_under_load_and_restarted_lose_and_double_nothing(
    three_services: ThreeServices, http: Http, seed: str
) -> None:
    await load_with_kills(three_services, http, seed, SERVICES)
    store = Store.at_the_gateway(http, three_services)
    await store.refuses_what_cannot_be_paid(await store.open_account())


async def test_the_embedded_shop_killed_under_load_and_restarted_loses_and_doubles_nothing(
    embedded: Embedded, http: Http, seed: str
) -> None:
    await load_with_kills(embedded, http, seed, ["up"])


async def once_despite_a_kill(
    shop: ThreeServices, http: Http, victim: str, *changes: tuple[Change, str]
) -> list[Any]:
    """Of each change, for its user, what 200 clients with one key are told of it, who ask at both entry
    points and do not give up. A kill -9 of the service comes with the first answer."""
    stores = Store.at_the_gateway(http, shop), Store.at_the_services(http, shop)
    clients = [
        [asyncio.create_task(until_known(partial(change, store, user, "k"))) for store in stores * 100]
        for change, user in changes
    ]
    try:
        await asyncio.wait(clients[0], timeout=30, return_when=asyncio.FIRST_COMPLETED)
        shop.processes[victim].kill()
    finally:
        await restart(shop)
    ids = []
    for (change, user), asking in zip(changes, clients, strict=True):
        answers = await together(*asking)
        # The answer to the first call may be lost; its client is then told a replay.
        assert sum(not replayed(answer) for answer in answers) <= 1
        answers += [await change(store, user, "k") for store in stores]
        assert all(map(replayed, answers[-2:]))
        [outcome] = {answer.json.get("id") or answer.body for answer in answers}
        ids.append(outcome)
    return ids


async def test_200_orders_with_one_key_are_one_order_though_orders_is_killed_in_between(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="1.00")
    ids = await once_despite_a_kill(three_services, http, "orders", (order, user))
    placed = await store.orders_of(user)
    assert [only["id"] for only in placed] == ids
    assert (await store.decided(ids[0], within=HEALED_WITHIN))["status"] == "FINISHED"
    assert str(await store.balance(user)) == "0.00"


async def test_200_deposits_with_one_key_are_one_deposit_though_payments_is_killed_in_between(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="1.00")
    await once_despite_a_kill(
        three_services, http, "payments", (deposit_by_post, user), (opening, new_user())
    )
    assert str(await store.balance(user)) == "2.00"
    await store.refuses_what_cannot_be_paid(user)


@pytest.mark.parametrize("end", ["SIGTERM", "kill -9"])
async def test_the_embedded_shop_leaves_no_process_behind_and_finds_its_data_again(
    embedded: Embedded, http: Http, end: str
) -> None:
    store = Store.at_the_gateway(http, embedded)
    user = await store.open_account(funds="10.00")
    order = await store.decided((await store.placed(user, "4.00"))["id"])
    family = descendants(embedded.up.pid)
    assert family, "the databases of the embedded shop are its children"
    try:
        if end == "SIGTERM":
            assert await embedded.up.terminate(within=10) == 0
        else:
            embedded.up.kill()
        await eventually(lambda: not alive(family), within=10)
    finally:
        if embedded.up.exit_code is not None:
            await embedded.up.start()
    assert str(await store.balance(user)) == "6.00"
    assert await store.orders_of(user) == [order]

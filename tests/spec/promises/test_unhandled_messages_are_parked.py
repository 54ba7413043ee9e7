"""What cannot be handled waits for an operator, who replays it exactly once or discards it for good."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import pytest
from uuid_utils.compat import uuid7

from kernel.adapters.lanes.lane import LaneFinder
from kernel.contracts.parked import ParkedMessage
from kernel.domain.errors import NotFound
from kernel.domain.parked import Kind
from shop.databases import any_databases
from shop.dead_letters.acting import Choice, act, choose, look
from shop.operators import operator
from shop.services import Shop as Settings
from shop.services import load_shop
from tests.servers.database import connected
from tests.servers.process import eventually
from tests.servers.shop import LANES, Embedded, Shop, ThreeServices, schema_of
from tests.spec.scenario import Http, together
from tests.spec.store import Store

SERVICES = load_shop({}).stores
ADA = operator("ada@desk")
FINDER = LaneFinder(LANES)
ORDER_PLACED = "shop.orders.order-placed.v1"


@contextmanager
def operated(shop: Shop) -> Iterator[Settings]:
    """The settings of a command."""
    with any_databases(load_shop(shop.settings | shop.database_settings), SERVICES) as settings:
        yield settings


@asynccontextmanager
async def database(settings: Settings, service: str, user: str | None = None) -> Any:
    """A connection to the tables of this user's lane, else of the first one."""
    url = settings.settings[service].database_url
    async with connected(url, search_path=schema_of(user)) as connection:
        yield connection


def placed_event(order_id: UUID, user: str, amount: str) -> bytes:
    data = {"orderId": str(order_id), "userId": user, "amount": amount, "currency": "RUB"}
    event = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": "/shop/orders",
        "type": ORDER_PLACED,
        "subject": str(order_id),
        "data": data,
    }
    return json.dumps(event, separators=(",", ":")).encode()


async def ask(settings: Settings, order_id: UUID, user: str, amount: str) -> None:
    """Payments is asked for an order that orders does not have."""
    async with database(settings, "orders", user) as orders:
        row = (ORDER_PLACED, uuid7(), placed_event(order_id, user, amount))
        await orders.execute("INSERT INTO outbox VALUES ($1, $2, $3)", *row)


async def add_order(settings: Settings, order_id: UUID, user: str, minor: int) -> None:
    async with database(settings, "orders", user) as orders, orders.transaction():
        await orders.execute(
            "INSERT INTO orders (user_id, id, amount, currency, description, status, created_at, updated_at)"
            " VALUES ($1, $2, $3, 'RUB', '', 'NEW', now(), now())",
            *(user, order_id, minor),
        )
        await orders.execute(
            "INSERT INTO order_history (user_id, order_id, sequence, status, at)"
            " VALUES ($1, $2, 1, 'NEW', now())",
            *(user, order_id),
        )


def new_order_id(user: str) -> UUID:
    return FINDER.order_id(user, uuid7())


async def statuses(settings: Settings, user: str, order_id: UUID) -> list[str]:
    async with database(settings, "orders", user) as orders:
        rows = await orders.fetch(
            "SELECT status FROM order_history WHERE order_id = $1 ORDER BY sequence", order_id
        )
    return [row["status"] for row in rows]


async def waiting(settings: Settings) -> Sequence[ParkedMessage]:
    return (await look(settings, SERVICES, ADA, group=None, count_max=1000)).messages


async def replayed(settings: Settings, *ids: UUID) -> int:
    """How many of them still waited. Raises NotFound where one did not, before anything is done."""
    chosen = await choose(settings, SERVICES, ADA, Choice(ids=ids))
    return sum(one.done for one in await act(settings, SERVICES, ADA, Kind.REPLAY, chosen, ""))


async def test_an_answer_that_came_before_its_order_is_replayed_once_by_however_many_operators(
    shop: Shop, gateway: Store
) -> None:
    user = await gateway.open_account(funds="10.00")
    order_id = new_order_id(user)

    async def parked() -> ParkedMessage | None:
        return next((one for one in await waiting(settings) if one.subject == str(order_id)), None)

    with operated(shop) as settings:
        await ask(settings, order_id, user, "4.00")
        found = await eventually(parked)
        assert (found.service, found.place, found.reason) == ("orders", "parked", "order_not_found")
        if isinstance(shop, ThreeServices):
            shop.processes["orders"].kill()
        try:
            await add_order(settings, order_id, user, 400)
            chosen = await choose(settings, SERVICES, ADA, Choice(ids=[found.id]))
            done = await together(*(act(settings, SERVICES, ADA, Kind.REPLAY, chosen, "") for _ in range(3)))
            assert sum(one.done for operations in done for one in operations) == 1
        finally:
            if isinstance(shop, ThreeServices):
                await shop.processes["orders"].start()
        assert (await gateway.decided(str(order_id)))["status"] == "FINISHED"
        assert str(await gateway.balance(user)) == "6.00"
        assert await statuses(settings, user, order_id) == ["NEW", "FINISHED"]
        assert await parked() is None


async def test_dead_letters_are_listed_handled_again_and_discarded_with_a_record(
    three_services: ThreeServices, http: Http
) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="10.00")
    order_id = new_order_id(user)
    garbage, other_garbage = f"garbage {uuid4()}", f"garbage {uuid4()}"
    asked = placed_event(order_id, user, "4.00").decode()

    async def letters(*payloads: str) -> list[ParkedMessage]:
        found = {one.payload: one for one in await waiting(settings) if one.place == "dead letters"}
        return [found[payload] for payload in payloads if payload in found]

    async def all_letters() -> list[ParkedMessage]:
        found = await letters(garbage, other_garbage, asked)
        return found if len(found) == 3 else []

    async def no_letter(payload: str) -> bool:
        return not await letters(payload)

    def still_unreadable() -> int:
        payments = three_services.processes["payments"]
        return (payments.stdout + payments.stderr).count("still unreadable")

    with operated(three_services) as settings:
        await add_order(settings, order_id, user, 400)
        async with await aio_pika.connect(three_services.broker.url) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange("shop.events", ensure=False)
            for body in (garbage, other_garbage):
                await exchange.publish(aio_pika.Message(body.encode()), ORDER_PLACED)
            await channel.default_exchange.publish(aio_pika.Message(asked.encode()), "payments.dead-letters")

            found = await eventually(all_letters)
            queue = await channel.get_queue("payments.dead-letters", ensure=False)
            assert await queue.get(fail=False) is None
        assert [(one.service, one.reason) for one in found[:2]] == [("payments", "unreadable")] * 2
        assert (found[0].type, found[2].type, found[2].reason) == (ORDER_PLACED, ORDER_PLACED, "unknown")
        assert str(order_id) in found[2].detail

        before = still_unreadable()
        assert await replayed(settings, found[1].id, found[2].id) == 2
        assert (await store.decided(str(order_id)))["status"] == "FINISHED"
        assert str(await store.balance(user)) == "6.00"

        await eventually(lambda: still_unreadable() == before + 1)
        assert [one.id for one in await letters(other_garbage)] == [found[1].id]
        await eventually(lambda: no_letter(asked))

        note = "--yes", "--note", "a test"
        said = json.loads(
            await three_services.says("dead-letters", "discard", str(found[0].id), *note, "--json")
        )
        assert (said["discarded"], [one["state"] for one in said["operations"]]) == (1, ["done"])
        with pytest.raises(NotFound, match=str(found[0].id)):
            await choose(settings, SERVICES, ADA, Choice(ids=[found[0].id]))
        assert await letters(garbage) == []
        assert len(await letters(other_garbage)) == 1
        async with database(settings, "payments") as payments:
            record = await payments.fetchrow(
                "SELECT * FROM discarded_messages WHERE payload = $1", garbage.encode()
            )
            act = await payments.fetchrow(
                "SELECT * FROM operator_record WHERE subject = $1", UUID(said["operations"][0]["id"])
            )
        assert (record["reason"], record["note"], record["dead_letter"]) == ("unreadable", "a test", True)
        assert "@" in record["discarded_by"]
        assert (act["did"], act["through"], act["note"]) == ("discard_messages", "console", "a test")
        assert act["operator"] == record["discarded_by"]
        assert str(found[0].id) in act["about"]


async def test_at_the_console_a_group_is_held_and_released_and_that_is_recorded(
    three_services: ThreeServices,
) -> None:
    """The shop runs meanwhile, and one of its services is away."""
    kind = f"shop.odd-{uuid4().hex}.v1"

    async def says(*arguments: str) -> Any:
        return json.loads(await three_services.says("dead-letters", *arguments, "--json"))

    async def found() -> Any:
        return next((group for group in await says("groups") if group["type"] == kind), None)

    with operated(three_services) as settings:
        async with database(settings, "payments") as payments:
            await payments.execute(
                "INSERT INTO parked_messages VALUES ($1, 's', 'odd', '', 'x', 1, now(), now())", kind
            )
            async with three_services.without("payments"):
                group = await found()
                assert (group["service"], group["messages"], group["held"]) == ("payments", 1, None)
                await says("hold", group["id"], "--owner", "ada", "--ticket", "OPS-7", "--note", "soon")
                held = (await found())["held"]
                assert (held["owner"], held["ticket"], held["note"]) == ("ada", "OPS-7", "soon")
                done = await says("discard", "--group", group["id"], "--yes", "--note", "a test")
                assert (done["discarded"], done["operations"][0]["state"]) == (1, "done")
                assert (await found())["messages"] == 0
                assert (await says("release", group["id"], "--by", "eve"))["held"] is None
                assert await found() is None
            acts = await payments.fetch(
                "SELECT did, operator, through FROM operator_record WHERE about LIKE $1 ORDER BY at",
                f"%{group['id']}%",
            )
        assert [act["did"] for act in acts] == ["hold_group", "discard_messages", "release_group"]
        assert {act["through"] for act in acts} == {"console"}
        assert acts[0]["operator"] == acts[1]["operator"] == held["heldBy"]
        assert ("@" in held["heldBy"], acts[2]["operator"]) == (True, "eve")


async def test_discarding_asks_at_a_terminal_and_only_yes_is_a_yes(embedded: Embedded) -> None:
    reason = f"reason_{uuid4().hex}"
    rows = "SELECT (SELECT count(*) FROM parked_messages WHERE reason = $1), count(*)"
    with operated(embedded) as settings:
        async with database(settings, "payments") as payments:
            await payments.execute(
                "INSERT INTO parked_messages VALUES ('t', 's', $1, '', 'x', 1, now(), now())", reason
            )
            for answer, code, left in (("", 1, (1, 0)), ("y", 0, (0, 1))):
                ended, said = await at_a_terminal(
                    embedded, answer, "dead-letters", "discard", "--reason", reason, "--note", "a test"
                )
                assert f"Discard 1 message ({reason}: 1) for good? [y/N]" in said
                assert ended == code, said
                found = await payments.fetchrow(f"{rows} FROM discarded_messages WHERE reason = $1", reason)
                assert tuple(found) == left


async def at_a_terminal(shop: Embedded, answer: str, *arguments: str) -> tuple[int, str]:
    """The exit code of a command whose question is answered, and what it said."""
    ours, theirs = pty.openpty()
    try:
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "shop", *arguments),
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **shop.settings},
            cwd="/",
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        os.write(ours, f"{answer}\n".encode())
        async with asyncio.timeout(30):
            said, _ = await command.communicate()
    finally:
        os.close(ours)
        os.close(theirs)
    return command.returncode or 0, said.decode()

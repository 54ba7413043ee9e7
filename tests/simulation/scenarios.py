"""The clients of a run, and the description of a run that broke a promise."""

import asyncio
import gc
import logging
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from payments import wire
from payments.contract.messages import PAYMENT_CAPTURED
from payments.domain.events import PaymentCaptured
from tests.simulation.clients import Client, Intent
from tests.simulation.faults import Faults, OneFault
from tests.simulation.loop import VirtualLoop
from tests.simulation.promises import Promise
from tests.simulation.shop import RESTS_WITHIN_S, Shop

GARBAGE = b"no message"
GHOST = UUID("0198c1a2-7b3c-7000-8000-000000000bad")
STRANGER = UUID("0198c1a2-7b3c-7000-8000-00000000bad1")

# Collecting garbage while a run is on costs a third of its time.
COLLECT_EVERY = 20

# The counts of schedules and faults, for the summary at the end.
TALLY: Counter[str] = Counter()

ACTS = (
    *("deposit", "salary", "order", "orders", "dear", "twins"),
    *("again", "other", "regret", "return", "pause", "timed"),
)

Clients = Callable[[Shop], list[Awaitable[None]]]


class Errors(logging.Handler):
    """Collects unexpected errors from the log."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(logging.ERROR)
        self._shop = shop

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._shop.breaks(Promise.NO_CRASH, f"{record.getMessage()}: {error!r}")


def run(faults: Faults, clients: Clients, **options: Any) -> Shop:
    """Runs the shop until it rests, or until the first broken promise, and returns it."""
    if TALLY["schedules"] % COLLECT_EVERY == 0:
        gc.collect()
    loop = VirtualLoop()
    shop = Shop(faults, **options)
    errors = Errors(shop)

    async def act() -> None:
        shop.open()
        await shop.comes_to_rest(clients(shop))

    logging.getLogger().addHandler(errors)
    try:
        loop.run_until_complete(act())
    finally:
        loop.end()
        logging.getLogger().removeHandler(errors)
    TALLY["schedules"] += 1
    TALLY["faults"] += faults.count
    TALLY["messages destroyed"] += shop.broker.destroyed_count
    return shop


def describe(shop: Shop, test: str, **replay: object) -> str:
    """The broken promises, the one command that shows them again, and the history."""
    variables = " ".join(f"{name}={value}" for name, value in replay.items())
    lines = [*shop.broken, f"Replay: {variables} .venv/bin/pytest tests/simulation -k {test}"]
    story = list(shop.story())
    if "SIM_STORY" not in os.environ:
        story = story[-60:]
    return "\n".join([*lines, "History (SIM_STORY=all for all of it):", *story])


def poison(shop: Shop) -> None:
    """Somebody sends what nobody can read, and in one message a decision about an order that is not there and
    an event of no known type.

    Not where the bus may destroy it, and not where an inbox that forgets would count it twice.
    """
    if shop.destroying or shop.inbox_kept_s < RESTS_WITHIN_S:
        return
    events = []
    for order_id in (GHOST, STRANGER):
        event = PaymentCaptured(order_id=order_id, user_id="nobody", traceparent="", transfer_id=GHOST)
        events.append(wire.encode(event, order_id, datetime(2025, 1, 1, tzinfo=UTC))[1])
    events[1] = events[1].replace(PAYMENT_CAPTURED.encode(), b"of.no.known.type")
    shop.poison |= {str(GHOST), str(STRANGER)}
    shop.garbage.add(GARBAGE)
    shop.broker.put("orders", b"[" + b",".join(events) + b"]")
    shop.broker.put("orders", GARBAGE)


def main_flow(shop: Shop) -> list[Awaitable[None]]:
    """The contract in one life: accounts, deposits, orders that are paid, refused, declined and repeated."""

    async def alice() -> None:
        client = Client(shop, "alice")
        await client.open()
        salary = client.deposit_intent(100_00, "salary")
        await client.pay_in(salary)
        await client.pay_in(salary)
        book = client.order_intent(30_00, "book")
        await client.place(book)
        poison(shop)
        await client.place(book)
        house = client.order_intent(500_00, "house")
        await client.place(house)
        await client.order(10_00)
        await client.deposit(500_00)
        await client.place(house)
        twins = client.order_intent(5_00, "twin")
        both = client.place(twins, twins=True), client.place(twins, twins=True)
        # Each of these two could be paid alone.
        await asyncio.gather(*both, client.order(40_00, "car"), client.order(41_00, "boat"))

    return [alice()]


def cancellations(shop: Shop) -> list[Awaitable[None]]:
    """Orders that are cancelled before, while and after their payment is decided, once and again."""

    async def alice() -> None:
        client = Client(shop, "alice")
        await client.open()
        await client.deposit(100_00)
        lamp, car, boat = (client.order_intent(*wish) for wish in ((30_00,), (60_00,), (70_00,)))
        await client.place(lamp)
        await asyncio.gather(client.cancel(lamp), client.cancel(lamp))
        await asyncio.gather(client.place(car), client.place(boat))
        await client.cancel(boat)
        await asyncio.sleep(0.5)
        await asyncio.gather(client.cancel(car), client.cancel(lamp))
        await client.order(20_00)

    return [alice()]


def times_to_pay(shop: Shop) -> list[Awaitable[None]]:
    """Orders whose time is over already, is over soon, and is not over."""

    async def alice() -> None:
        client = Client(shop, "alice")
        await client.open()
        await client.deposit(100_00, "salary")
        gone, soon, later = (
            client.order_intent(10_00, f"{seconds}", pay_within_s=seconds) for seconds in (-1, 0.05, 100)
        )
        await client.place(gone)
        await asyncio.gather(client.place(soon), client.place(later))
        await asyncio.sleep(0.1)
        await client.place(soon)

    return [alice()]


def quiet_day(shop: Shop) -> list[Awaitable[None]]:
    """One thing at a time, each from rest to rest, so that what is seen is the fault's own."""

    async def rest() -> None:
        await asyncio.sleep(0.18)
        while not shop.is_quiet():
            await asyncio.sleep(0.05)

    async def alice() -> None:
        client = Client(shop, "alice")
        await rest()
        await client.open()
        await rest()
        await client.deposit(100_00, "salary")
        await rest()
        book = client.order_intent(30_00, "book")
        for _ in range(2):
            await client.place(book)
            await rest()
        await client.order(500_00, "house")
        await rest()
        await client.cancel(book)
        await rest()
        poison(shop)

    return [alice()]


FLOWS = {flow.__name__: flow for flow in (main_flow, cancellations, times_to_pay)}


def fair_weather(flow: Clients = main_flow, **options: Any) -> OneFault:
    weather = OneFault()
    shop = run(weather, flow, **options)
    assert not shop.broken, describe(shop, "fair_weather")
    return weather


def shoppers(seed: int, users: int | None = None) -> Clients:
    def clients(shop: Shop) -> list[Awaitable[None]]:
        count = users or random.Random(seed).choice((2, 3, 3, 8))
        acts = [shopper(shop, f"user{n}", random.Random(f"{seed} {n}")) for n in range(count)]
        return [*acts, poisoner(shop)]

    return clients


async def poisoner(shop: Shop) -> None:
    await asyncio.sleep(0.1)
    poison(shop)


async def shopper(shop: Shop, user_id: str, rng: random.Random) -> None:
    client = Client(shop, user_id)
    placed: list[Intent] = []

    async def order(amount: int, key: str | None, pay_within_s: float | None = None) -> None:
        intent = client.order_intent(amount, key, pay_within_s=pay_within_s)
        placed.append(intent)
        await client.place(intent)

    await client.open()
    for n in range(rng.randint(2, 6)):
        amount = rng.choice((10_00, 20_00, 50_00, 90_00))
        match rng.choice(ACTS):
            case "deposit":
                await client.deposit(amount)
            case "salary":
                salary = client.deposit_intent(amount, f"salary {n}")
                await asyncio.gather(*(client.pay_in(salary) for _ in range(2)))
            case "order":
                await order(amount, rng.choice((None, f"order {n}")))
            case "orders":
                await client.deposit(100_00, f"for {n}")
                await asyncio.gather(*(order(amount, f"order {n} {m}") for m in range(3)))
            case "dear":
                intent = client.order_intent(10_000_00 + n, f"dear {n}")
                await client.place(intent)
                await client.deposit(intent.amount, f"dear {n}")
                await client.place(intent)
            case "twins":
                intent = client.order_intent(amount, f"twins {n}")
                await asyncio.gather(*(client.place(intent, twins=True) for _ in range(2)))
            case "again" if placed:
                await again(client, rng.choice(placed))
            case "other" if earlier := [intent for intent in placed if intent.key and intent.ids]:
                await client.place_other(rng.choice(earlier))
            case "timed":
                await order(amount, f"timed {n}", rng.choice((-0.1, 0.05, 0.2, 1.0, 100.0)))
            case "regret":
                await order(amount, f"regret {n}")
                await asyncio.gather(*(client.cancel(placed[-1]) for _ in range(2)))
            case "return" if placed:
                await client.cancel(rng.choice(placed))
            case _:
                await asyncio.sleep(rng.random() * 0.3)


async def again(client: Client, intent: Intent) -> None:
    """Without a key it would be another order."""
    if intent.key:
        await client.place(intent)

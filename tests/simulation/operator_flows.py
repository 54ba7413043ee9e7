"""Operators act for customers whose orders are on their way."""

import asyncio
import random
from collections.abc import Awaitable

from tests.memory.payments import ACCOUNTS
from tests.simulation.clients import Client, Kind
from tests.simulation.operators import Operator
from tests.simulation.scenarios import Clients
from tests.simulation.shop import Shop


def operators_day(shop: Shop) -> list[Awaitable[None]]:
    """One command at a time, each from rest to rest, for a customer who has paid an order."""

    async def rest() -> None:
        while not shop.is_quiet():
            await asyncio.sleep(0.05)

    async def ada() -> None:
        client, operator = Client(shop, "alice"), Operator(shop, "alice")
        await client.open()
        await client.deposit(100_00, "salary")
        book = client.order_intent(30_00, "book")
        await client.place(book)
        await rest()
        await operator.freeze()
        await operator.unfreeze()
        correction = operator.correction(5_00, "gift")
        await operator.correct(correction)
        await operator.correct(correction)
        await operator.correct(operator.correction(-1_000_00, "too much"))
        await rest()
        await operator.cancel(book)
        await rest()

    return [ada()]


def freezing(shop: Shop) -> list[Awaitable[None]]:
    """An account is frozen after its orders were accepted: one of them is paid already, one is not."""

    async def alice() -> None:
        client, ada = Client(shop, "alice"), Operator(shop, "alice")
        await client.open()
        await client.deposit(100_00, "salary")
        paid, waiting = client.order_intent(10_00, "paid"), client.order_intent(20_00, "waiting")
        await client.place(paid)
        await asyncio.sleep(0.1)
        await client.place(waiting)
        await asyncio.gather(ada.freeze(), ada.freeze())
        await client.deposit(50_00, "frozen")
        await client.order(30_00, "frozen")
        await client.cancel(paid)
        await asyncio.gather(ada.unfreeze(), client.order(40_00, "thawing"))
        await client.order(5_00, "thawed")

    return [alice()]


def correcting(shop: Shop) -> list[Awaitable[None]]:
    """A balance is corrected after an order was accepted that it was enough for, and before it is paid."""

    async def alice() -> None:
        client, ada = Client(shop, "alice"), Operator(shop, "alice")
        await client.open()
        await client.deposit(50_00, "salary")
        await client.place(client.order_intent(40_00, "dear"))
        taken = ada.correction(-30_00, "taken")
        await asyncio.gather(ada.correct(taken, twins=True), ada.correct(taken, twins=True))
        await asyncio.gather(ada.correct(ada.correction(-25_00, "more")), ada.freeze())
        given = ada.correction(60_00, "given")
        await ada.correct(given)
        await ada.unfreeze()
        await asyncio.gather(client.order(45_00, "again"), ada.correct(given), ada.correct(taken))

    return [alice()]


def calling_off(shop: Shop) -> list[Awaitable[None]]:
    """Operators cancel what is being paid, what is paid, and what its user cancels too."""

    async def alice() -> None:
        client, ada = Client(shop, "alice"), Operator(shop, "alice")
        await client.open()
        await client.deposit(100_00, "salary")
        lamp, car, boat = (client.order_intent(*wish) for wish in ((30_00, "1"), (20_00, "2"), (10_00, "3")))
        await client.place(lamp)
        await ada.cancel(lamp)
        await client.place(car)
        await asyncio.sleep(0.012)
        await asyncio.gather(ada.cancel(car), client.place(boat))
        await asyncio.gather(ada.cancel(boat), client.cancel(boat), ada.freeze())
        await asyncio.gather(ada.cancel(car), client.cancel(lamp))

    return [alice()]


ACTING = {flow.__name__: flow for flow in (freezing, correcting, calling_off)}


def operated(seed: int, clients: Clients) -> Clients:
    """The clients, and one operator for the first of them."""

    def acting(shop: Shop) -> list[Awaitable[None]]:
        return [*clients(shop), operator(shop, "user0", random.Random(f"operator {seed}"))]

    return acting


async def operator(shop: Shop, user_id: str, rng: random.Random) -> None:
    ada = Operator(shop, user_id)
    while shop.databases["payments"].get(ACCOUNTS, user_id) is None:
        await asyncio.sleep(0.05)
    for n in range(rng.randint(3, 8)):
        match rng.choice(("freeze", "flicker", "give", "take", "cancel", "pause")):
            case "freeze":
                await asyncio.gather(ada.freeze(), ada.freeze())
                await asyncio.sleep(rng.random() * 0.2)
                await ada.unfreeze()
            case "flicker":
                await ada.freeze()
                await ada.unfreeze()
            case "give" | "take" as act:
                amount = rng.choice((10_00, 50_00))
                correction = ada.correction(amount if act == "give" else -amount, f"correction {n}")
                await asyncio.gather(*(ada.correct(correction, twins=True) for _ in range(2)))
            case "cancel":
                placed = [i for i in shop.intents if (i.user_id, i.kind) == (user_id, Kind.ORDER) and i.ids]
                if placed:
                    await asyncio.gather(*(ada.cancel(rng.choice(placed)) for _ in range(2)))
            case _:
                await asyncio.sleep(rng.random() * 0.3)

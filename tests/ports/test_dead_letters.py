"""What every bus promises about what it gives up, over the in-process one and a real RabbitMQ."""

import aio_pika

from kernel.domain.errors import Unavailable
from kernel.ports.bus import DeadLetter, Unreadable
from orders.contract.messages import ORDER_PLACED
from tests.ports.buses import BusWorld, Graveyard, Inbox, RabbitBusWorld, placed, relayed, until
from tests.ports.test_bus import world

__all__ = ["world"]


async def test_an_unreadable_message_is_buried_with_its_type_and_not_seen_again(world: BusWorld) -> None:
    async def refuse(body: bytes) -> None:
        if body == b"garbage":
            raise Unreadable("no JSON")

    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox, graveyard = Inbox(refuse), Graveyard()
        await payments.subscribe(inbox, graveyard)
        await orders.publish([placed(b"garbage")])
        (letter,) = await graveyard.has(1)
        assert (letter.body, letter.type, letter.reason) == (b"garbage", ORDER_PLACED, "unreadable")
        await orders.publish([placed(b"[1]")])
        assert await inbox.has(2) == [b"garbage", b"[1]"]
        assert graveyard.letters == [letter]


async def test_a_letter_that_could_not_be_buried_comes_again(world: BusWorld) -> None:
    async def refuse(_: bytes) -> None:
        raise Unreadable("no JSON")

    async with world.bus("orders") as orders, world.bus("payments") as payments:
        graveyard = Graveyard(failures=2)
        await payments.subscribe(Inbox(refuse), graveyard)
        async with relayed(orders, placed(b"garbage")):
            (letter,) = await graveyard.has(1)
        assert letter.body == b"garbage"
        assert graveyard.failures == 0


async def test_a_message_that_fails_every_time_is_buried(rabbit: RabbitBusWorld) -> None:
    async def fail(body: bytes) -> None:
        if body == b"poison":
            raise RuntimeError("a bug")

    async with rabbit.bus("orders") as orders, rabbit.bus("payments") as payments:
        inbox, graveyard = Inbox(fail), Graveyard()
        await payments.subscribe(inbox, graveyard)
        await orders.publish([placed(b"poison"), placed(b"[1]")])
        (letter,) = await graveyard.has(1)
        assert (letter.body, letter.type, letter.reason) == (b"poison", ORDER_PLACED, "delivery_limit")
        assert inbox.bodies.count(b"poison") == 21
        assert inbox.bodies.count(b"[1]") == 1


async def test_a_letter_has_the_same_death_each_time_it_comes_and_an_equal_one_that_died_later_has_another(
    rabbit: RabbitBusWorld,
) -> None:
    async def refuse(_: bytes) -> None:
        raise Unreadable("no JSON")

    async def note(letter: DeadLetter) -> None:
        deaths.append(letter.death)
        if len(deaths) == 1:
            raise Unavailable("the database is away")

    deaths: list[str] = []
    async with rabbit.bus("orders") as orders, rabbit.bus("payments") as payments:
        await payments.subscribe(Inbox(refuse), note)
        await orders.publish([placed(b"garbage")])
        await until(lambda: len(deaths) == 2)
        assert deaths[0] == deaths[1] != ""
        while len(set(deaths)) == 1:  # The broker tells times of death in whole seconds.
            seen = len(deaths)
            await orders.publish([placed(b"garbage")])
            await until(lambda seen=seen: len(deaths) > seen)


async def test_letters_that_nobody_buries_wait_in_their_queue_for_who_does(rabbit: RabbitBusWorld) -> None:
    async def refuse(_: bytes) -> None:
        raise Unreadable("no JSON")

    async with rabbit.bus("orders") as orders:
        async with rabbit.bus("payments") as payments:
            await payments.subscribe(Inbox(refuse))
            await orders.publish([placed(b"garbage")])
            await rabbit.holds("payments.dead-letters", 1)
        async with rabbit.bus("payments") as payments:
            graveyard = Graveyard()
            await payments.subscribe(Inbox(), graveyard)
            assert [letter.body for letter in await graveyard.has(1)] == [b"garbage"]
        await rabbit.holds("payments.dead-letters", 0)


async def test_a_consumer_whose_letters_are_no_longer_delivered_is_unhealthy_and_made_anew(
    rabbit: RabbitBusWorld,
) -> None:
    async with rabbit.bus("payments") as payments:
        graveyard = Graveyard()
        await payments.subscribe(Inbox(), graveyard)
        assert payments.healthy
        await rabbit.lose_queue("payments.dead-letters")
        await until(lambda: not payments.healthy)
        await until(lambda: payments.healthy)
        await rabbit.channel.default_exchange.publish(aio_pika.Message(b"by hand"), "payments.dead-letters")
        (letter,) = await graveyard.has(1)
        assert (letter.body, letter.type, letter.reason, letter.death) == (b"by hand", "", "unknown", "")

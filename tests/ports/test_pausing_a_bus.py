"""What every bus promises while its consumer is paused, over the in-process one and a real RabbitMQ."""

import asyncio

import pytest

from kernel.adapters.rabbit.bus import CHECK_S
from kernel.domain.errors import Unavailable
from kernel.ports.bus import ConsumerPaused, Envelope
from payments.contract.messages import PAYMENT_CAPTURED
from tests.ports.buses import (
    BusWorld,
    Graveyard,
    Inbox,
    MemoryBusWorld,
    RabbitBusWorld,
    placed,
    relayed,
    until,
)
from tests.ports.test_bus import world

__all__ = ["world"]


async def test_a_paused_bus_takes_nothing_finishes_what_is_in_hand_and_takes_all_when_it_is_resumed(
    world: BusWorld,
) -> None:
    async def wait(body: bytes) -> None:
        if body == b"[1]":
            await go_on.wait()
            finished.append(body)

    go_on, finished = asyncio.Event(), list[bytes]()
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox(wait)
        await payments.subscribe(inbox)
        async with relayed(orders, placed(b"[1]")):
            await inbox.has(1)
            await payments.pause()
            async with relayed(orders, placed(b"[2]")):
                go_on.set()
                await until(lambda: finished == [b"[1]"])
                await asyncio.sleep(3 * CHECK_S)  # as many looks as it takes to give up a lost consumer
                assert payments.healthy
                assert inbox.bodies == [b"[1]"]
                await payments.resume()
                assert await inbox.has(2) == [b"[1]", b"[2]"]
        assert payments.healthy
        await payments.pause()
        await payments.resume()
        await orders.publish([placed(b"[3]")])
        assert await inbox.has(3) == [b"[1]", b"[2]", b"[3]"]


async def test_a_bus_that_is_paused_before_it_is_subscribed_takes_nothing_until_it_is_resumed(
    world: BusWorld,
) -> None:
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        await payments.pause()
        inbox, graveyard = Inbox(), Graveyard()
        await payments.subscribe(inbox, graveyard)
        assert payments.healthy
        async with relayed(orders, placed(b"[1]")):
            await asyncio.sleep(CHECK_S)
            assert inbox.bodies == []
            await payments.resume()
            await inbox.has(1)
        assert payments.healthy


async def test_resuming_what_was_not_paused_changes_nothing(world: BusWorld) -> None:
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        inbox = Inbox()
        await payments.subscribe(inbox)
        await payments.resume()
        await orders.publish([placed(b"[1]")])
        assert await inbox.has(1) == [b"[1]"]
        assert payments.healthy


async def test_in_process_a_paused_consumer_is_told_from_one_that_fails() -> None:
    async def fail(_: bytes) -> None:
        raise RuntimeError("a bug")

    world = MemoryBusWorld()
    async with world.bus("orders") as orders, world.bus("payments") as payments:
        await payments.subscribe(Inbox(fail))
        await payments.pause()
        with pytest.raises(ConsumerPaused, match="payments is paused"):
            await orders.publish([placed(b"[1]")])
        with pytest.raises(Unavailable) as refused:
            await orders.publish([placed(b"[1]"), Envelope(PAYMENT_CAPTURED, b"[2]")])
        assert not isinstance(refused.value, ConsumerPaused)


async def test_a_paused_consumer_holds_no_message_and_a_new_session_takes_none(
    rabbit: RabbitBusWorld,
) -> None:
    async with rabbit.bus("orders") as orders, rabbit.bus("payments") as payments:
        inbox = Inbox()
        await payments.subscribe(inbox)
        await payments.pause()
        await orders.publish([placed(b"[1]")])
        await rabbit.holds("payments", 1)  # ready: a message that a consumer holds is not counted
        await payments.pause()
        await rabbit.lose_session(payments)
        await until(lambda: payments.healthy)
        await rabbit.holds("payments", 1)
        assert inbox.bodies == []
        await payments.resume()
        assert await inbox.has(1) == [b"[1]"]
        await until(lambda: payments.healthy)

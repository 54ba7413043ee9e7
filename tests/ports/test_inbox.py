"""What every inbox promises."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kernel.domain.errors import Contention
from kernel.domain.events import MessageId, Received
from tests.ports.worlds import Noted, World, ended, undone

ORDER = UUID(int=1)


def received(message_id: str, text: bytes = b"", source: str = "/shop/orders") -> Received[Noted]:
    """Perhaps again."""
    return replace(first(message_id, text, source), again=True)


def first(message_id: str, text: bytes = b"", source: str = "/shop/orders") -> Received[Noted]:
    fact = Noted(subject_id=ORDER, traceparent="", type="noted", text=text)
    return Received(MessageId(source, message_id), "noted", fact, b"")


def facts(*items: Received[Noted]) -> list[Noted]:
    return [item.fact for item in items]


async def claimed(world: World, *items: Received[Noted]) -> list[Noted]:
    """In a transaction of its own."""
    async with world.uow() as uow:
        return facts(*await world.inbox(uow).claim(items))


async def test_a_message_is_claimed_once_for_ever(world: World) -> None:
    message = received("1")
    assert await claimed(world, message) == facts(message)
    assert await claimed(world, message) == await claimed(world) == []


async def test_of_claimed_and_new_messages_the_new_ones_come_out_in_the_given_order(world: World) -> None:
    one, two, three, four = (received(number, number.encode()) for number in "1234")
    await claimed(world, two)
    assert await claimed(world, four, two, three, one) == facts(four, three, one)


async def test_a_message_that_comes_twice_in_one_call_comes_out_once_at_its_first_place(world: World) -> None:
    first, again, other = received("1", b"first"), received("1", b"again"), received("2")
    assert await claimed(world, first, other, again) == facts(first, other)


async def test_a_message_that_comes_twice_in_one_transaction_is_claimed_once(world: World) -> None:
    async with world.uow() as uow:
        inbox = world.inbox(uow)
        assert await inbox.claim([received("1")]) == [received("1")]
        assert await inbox.claim([received("1")]) == []


async def test_new_messages_are_claimed_in_the_given_order(world: World) -> None:
    two, one = first("2"), first("1")
    assert await claimed(world, two, one, two) == facts(two, one)
    assert await claimed(world, received("1"), received("2"), received("3")) == facts(received("3"))


async def test_nothing_is_done_where_a_message_came_before_and_does_not_say_so(world: World) -> None:
    await claimed(world, first("2"))

    async def claim_and_say_so() -> None:
        async with world.uow() as uow:
            await world.inbox(uow).claim([first("1"), first("2"), first("3")])
            await world.outbox(uow).add([first("1").fact])

    with pytest.raises(Contention):
        await claim_and_say_so()
    assert await claimed(world, received("1"), received("3")) == facts(received("1"), received("3"))
    async with world.uow() as uow:
        assert await world.backlog(uow).take("noted", count_max=1) == []


async def test_the_same_id_from_two_sources_is_two_messages(world: World) -> None:
    from_orders, from_payments = received("1"), received("1", source="/shop/payments")
    assert await claimed(world, from_orders) == facts(from_orders)
    assert await claimed(world, from_payments) == facts(from_payments)


async def test_a_rollback_frees_the_message(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.inbox(uow).claim([received("1")])
    assert await claimed(world, received("1")) == facts(received("1"))


@pytest.mark.parametrize("made", [first, received])
async def test_a_concurrent_claim_waits_for_the_first_and_loses(
    world: World, made: Callable[[str], Received[Noted]]
) -> None:
    async with world.uow() as uow:
        await world.inbox(uow).claim_message(received("2").message)
        second = world.start(claimed(world, made("1"), made("2"), made("3")))
        await world.blocked(second)
    with pytest.raises(Contention):
        await ended(second)
    claimed_then = await claimed(world, received("1"), received("2"), received("3"))
    assert claimed_then == facts(received("1"), received("3"))


async def test_a_concurrent_claim_wins_when_the_first_rolls_back(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.inbox(uow).claim_message(received("1").message)
        second = world.start(claimed(world, received("1")))
        await world.blocked(second)
    assert await ended(second) == facts(received("1"))


async def test_claims_of_the_same_messages_in_opposite_orders_are_no_deadlock(world: World) -> None:
    """Both take them in key order: the gate lets neither pass 2 before both have begun."""
    async with world.uow() as uow:
        await world.inbox(uow).claim_message(received("2").message)
        upwards = world.start(claimed(world, received("1"), received("2"), received("3")))
        await world.blocked(upwards)
        downwards = world.start(claimed(world, received("3"), received("2"), received("1")))
        await world.blocked(upwards, downwards)
    for claiming in upwards, downwards:
        with pytest.raises(Contention) as lost:
            await ended(claiming)
        assert "deadlock" not in str(lost.value)


async def test_a_message_alone_is_claimed_by_the_first_transaction_only(world: World) -> None:
    message = received("1").message
    async with world.uow() as uow:
        assert await world.inbox(uow).claim_message(message)
        assert not await world.inbox(uow).claim_message(message)
    async with world.uow() as uow:
        assert not await world.inbox(uow).claim_message(message)
    assert await claimed(world, received("1")) == []


async def test_any_text_that_json_can_say_is_an_id(world: World) -> None:
    """Garbage must not stop the queue: what cannot be claimed could not be parked either."""
    long = random.Random(0).randbytes(50_000).hex()
    ids = ["", "\x00", "\ufffd", long, long + "x", "\N{GRINNING FACE}" * 200]
    messages = [received(text, source=source) for text in ids for source in ("s", "\x00" * 3000, long)]
    assert await claimed(world, *messages) == facts(*messages)
    assert await claimed(world, *messages) == []


async def test_a_forgotten_message_may_be_claimed_once_more_and_no_other_may(world: World) -> None:
    messages = [received(number) for number in ("1", "2", "\x00")]
    await claimed(world, *messages)
    async with world.uow() as uow:
        await world.inbox(uow).forget([messages[2].message, messages[0].message, MessageId("/crm", "1")])
    assert await claimed(world, *messages) == facts(messages[0], messages[2])
    assert await claimed(world, *messages) == []


async def test_forgetting_ends_with_its_transaction_and_a_claim_waits_for_it(world: World) -> None:
    message = received("1")
    await claimed(world, message)
    async with undone(world.uow()) as uow:
        await world.inbox(uow).forget([message.message])
    assert await claimed(world, message) == []
    async with world.uow() as uow:
        await world.inbox(uow).forget([message.message])
        assert await claimed(world, message) == []
        claiming = world.start(claimed(world, first("1")))
        await world.blocked(claiming)
    assert await ended(claiming) == facts(message)


async def test_pruning_forgets_the_oldest_claims_up_to_the_count(world: World) -> None:
    async def pruned(before: datetime, count_max: int) -> int:
        async with world.uow() as uow:
            return await world.inbox(uow).prune(before=before, count_max=count_max)

    for text in "1", "2", "3":
        await claimed(world, received(text))
        world.clock.advance(1)
    now = world.clock.now()
    assert await pruned(now - timedelta(seconds=1), 1) == 1
    assert await claimed(world, received("1"), received("2")) == facts(received("1"))
    assert await pruned(now - timedelta(seconds=1), 10) == 1
    assert await pruned(now - timedelta(seconds=1), 10) == 0
    assert await claimed(world, received("2"), received("3")) == facts(received("2"))


async def test_pruners_share_the_work_and_wait_for_nobody(world: World) -> None:
    await claimed(world, received("1"), received("2"))
    after = world.clock.now() + timedelta(seconds=1)
    async with world.uow() as uow, world.uow() as other:
        assert await world.inbox(uow).prune(before=after, count_max=1) == 1
        assert await world.inbox(other).prune(before=after, count_max=10) == 1

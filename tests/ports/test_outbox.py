"""What every outbox promises, and the backlog at its other end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from kernel.adapters.postgres.messages.figures import waiting
from kernel.application.envelopes import ENVELOPE_BYTES_MAX, ENVELOPE_EVENTS_MAX
from kernel.ports.outbox import OutboxRow
from tests.ports.postgres_world import PostgresWorld
from tests.ports.worlds import Noted, World, ended, undone

ORDER = UUID(int=1)


def noted(text: bytes, event_type: str = "a") -> Noted:
    return Noted(subject_id=ORDER, traceparent="", type=event_type, text=text)


async def add(world: World, *events: Noted) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.outbox(uow).add(events)


async def rows(world: World, event_type: str = "a", *, count_max: int = 10) -> Sequence[OutboxRow]:
    """In a transaction of its own."""
    async with world.uow() as uow:
        return await world.backlog(uow).take(event_type, count_max=count_max)


async def taken(world: World, event_type: str = "a", *, count_max: int = 10) -> list[bytes]:
    """In a transaction of its own."""
    return events(await rows(world, event_type, count_max=count_max))


def events(found: Sequence[OutboxRow]) -> list[bytes]:
    return [row.events for row in found]


async def test_an_added_event_is_taken_once(world: World) -> None:
    await add(world, noted(b"1"))
    assert await taken(world) == [b"1"]
    assert await taken(world) == []


async def test_nothing_is_taken_from_an_empty_backlog(world: World) -> None:
    await add(world)
    assert await taken(world) == []


async def test_the_oldest_come_first_at_most_as_many_as_asked_for(world: World) -> None:
    for text in b"1", b"2", b"3":
        await add(world, noted(text))
        world.clock.advance(0.001)
    assert await taken(world, count_max=2) == [b"1", b"2"]
    assert await taken(world, count_max=2) == [b"3"]


async def test_events_of_one_call_keep_their_order_and_come_after_those_before(world: World) -> None:
    await add(world, noted(b"1"))
    await add(world, *(noted(b"%d" % number) for number in range(2, 10)))
    assert await taken(world) == [b"1", b"2,3,4,5,6,7,8,9"]


async def test_the_same_event_added_twice_is_two_events(world: World) -> None:
    await add(world, noted(b"1"), noted(b"1"))
    assert await taken(world) == [b"1,1"]


async def test_the_events_of_one_call_come_as_one_under_the_id_of_the_first(world: World) -> None:
    await add(world, *(noted(b"%d" % number) for number in range(100)))
    await add(world, noted(b"100"))
    first, last = await rows(world)
    assert (first.type, first.count, last.count) == ("a", 100, 1)
    assert first.events == b",".join(b"%d" % number for number in range(100))
    assert first.id < last.id


async def test_no_more_events_are_kept_together_than_an_envelope_holds(world: World) -> None:
    await add(world, *(noted(b"%d" % number) for number in range(2 * ENVELOPE_EVENTS_MAX + 1)))
    found = await rows(world)
    assert [row.count for row in found] == [ENVELOPE_EVENTS_MAX, ENVELOPE_EVENTS_MAX, 1]
    assert b",".join(events(found)).split(b",") == [b"%d" % number for number in range(401)]


async def test_no_more_bytes_are_kept_together_than_an_envelope_holds_but_for_a_single_event(
    world: World,
) -> None:
    half, large = b"1" * (ENVELOPE_BYTES_MAX // 2 - 2), b"2" * (ENVELOPE_BYTES_MAX + 1)
    await add(world, *(noted(text) for text in (half, half, half, large, half, b"3")))
    assert await taken(world) == [half + b"," + half, half, large, half + b",3"]


async def test_a_row_that_an_earlier_version_kept_is_one_event(postgres: PostgresWorld) -> None:
    row = ("a", postgres.clock.new_id(), b"1")
    await postgres.watcher.execute("INSERT INTO outbox (type, id, event) VALUES ($1, $2, $3)", *row)
    assert await rows(postgres) == [OutboxRow(*row, count=1)]


async def test_types_are_apart(world: World) -> None:
    await add(world, noted(b"1", "a"), noted(b"2", "b"), noted(b"3", "a"))
    assert await taken(world, "b") == [b"2"]
    assert await taken(world, "a") == [b"1,3"]


async def test_bytes_come_out_as_they_went_in(world: World) -> None:
    body = bytes(range(256)) * 1000
    await add(world, noted(body))
    assert await taken(world) == [body]


async def test_an_event_that_was_rolled_back_is_never_taken(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.outbox(uow).add([noted(b"1")])
    assert await taken(world) == []


async def test_an_event_is_taken_only_after_its_transaction_committed(world: World) -> None:
    async with world.uow() as uow:
        await world.outbox(uow).add([noted(b"1")])
        assert await taken(world) == []
    assert await taken(world) == [b"1"]


async def test_an_event_is_there_again_when_the_transaction_that_took_it_rolls_back(world: World) -> None:
    await add(world, noted(b"1"))
    await add(world, noted(b"2"))
    async with undone(world.uow()) as uow:
        assert events(await world.backlog(uow).take("a", count_max=1)) == [b"1"]
    assert await taken(world) == [b"1", b"2"]


async def test_an_event_that_another_transaction_has_taken_is_passed_over_without_waiting(
    world: World,
) -> None:
    for text in b"1", b"2", b"3":
        await add(world, noted(text))
    async with world.uow() as uow:
        assert events(await world.backlog(uow).take("a", count_max=2)) == [b"1", b"2"]
        assert await ended(world.start(taken(world))) == [b"3"]
        assert await world.backlog(uow).take("a", count_max=2) == []
    assert await taken(world) == []


async def test_the_backlog_is_counted_in_events(postgres: PostgresWorld) -> None:
    since = postgres.clock.now().replace(microsecond=0)
    await add(postgres, noted(b"1", "a"), noted(b"2", "b"), noted(b"3", "a"))
    postgres.clock.advance(5)
    await add(postgres, noted(b"4", "a"))
    assert await waiting(postgres.engine) == {"a": (3, since), "b": (1, since)}


async def test_an_added_event_is_handed_on_as_it_is_kept_and_only_after_the_commit(world: World) -> None:
    handed_on: list[OutboxRow] = []
    async with world.uow() as uow:
        await world.outbox(uow, handed_on.append).add([noted(b"1", "a"), noted(b"2", "b"), noted(b"3", "a")])
        assert handed_on == []
    assert events(handed_on) == [b"1,3", b"2"]
    assert handed_on == [*await rows(world, "a"), *await rows(world, "b")]


async def test_neither_an_event_that_was_rolled_back_nor_an_empty_list_is_handed_on(world: World) -> None:
    handed_on: list[OutboxRow] = []
    uow = world.uow()
    async with undone(uow):
        await world.outbox(uow, handed_on.append).add([noted(b"1")])
    async with uow:
        await world.outbox(uow, handed_on.append).add([])
    assert handed_on == []


async def test_rows_that_were_kept_after_a_moment_may_be_left_for_later(world: World) -> None:
    await add(world, noted(b"1"))
    world.clock.advance(5)
    between = world.clock.now()
    world.clock.advance(5)
    await add(world, noted(b"2"))
    async with world.uow() as uow:
        assert events(await world.backlog(uow).take("a", count_max=2, before=between)) == [b"1"]
    assert await taken(world) == [b"2"]


async def remove(world: World, rows: Sequence[OutboxRow]) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.backlog(uow).remove(rows[0].type, [row.id for row in rows])


async def kept(world: World, *texts: bytes) -> list[OutboxRow]:
    """A row each."""
    handed_on: list[OutboxRow] = []
    for text in texts:
        async with world.uow() as uow:
            await world.outbox(uow, handed_on.append).add([noted(text)])
    return handed_on


async def test_a_removed_row_is_not_taken_and_every_other_is(world: World) -> None:
    first, _, third = await kept(world, b"1", b"2", b"3")
    await add(world, noted(b"4", "b"))
    await remove(world, [first, third])
    assert await taken(world) == [b"2"]
    assert await taken(world, "b") == [b"4"]


async def test_removing_a_row_that_was_taken_meanwhile_does_nothing(world: World) -> None:
    both = await kept(world, b"1", b"2")
    assert await taken(world, count_max=1) == [b"1"]
    await remove(world, both)
    assert await taken(world) == []


async def test_a_removal_waits_for_the_transaction_that_took_the_row_and_removes_it_if_that_fails(
    world: World,
) -> None:
    (row,) = await kept(world, b"1")
    async with undone(world.uow()) as uow:
        assert events(await world.backlog(uow).take("a", count_max=1)) == [b"1"]
        removing = world.start(remove(world, [row]))
        await world.blocked(removing)
    await ended(removing)
    assert await taken(world) == []


async def test_a_removed_row_is_there_again_when_its_transaction_rolls_back(world: World) -> None:
    (row,) = await kept(world, b"1")
    async with undone(world.uow()) as uow:
        await world.backlog(uow).remove("a", [row.id])
    assert await taken(world) == [b"1"]


async def test_the_backlog_tells_since_when_the_oldest_waits(world: World) -> None:
    async def since() -> datetime | None:
        async with world.uow() as uow:
            return await world.backlog(uow).waiting_since()

    assert await since() is None
    first = world.clock.now().replace(microsecond=0)
    await add(world, noted(b"1", "b"))
    world.clock.advance(5)
    await add(world, noted(b"2", "a"))
    assert await since() == first
    assert await taken(world, "b") == [b"1"]
    assert await since() == first + timedelta(seconds=5)
    assert await taken(world, "a") == [b"2"]
    assert await since() is None


async def test_the_backlog_tells_the_types_of_what_waits(world: World) -> None:
    async def waiting(*types: str) -> set[str]:
        async with world.uow() as uow:
            return set(await world.backlog(uow).types_waiting(types))

    assert await waiting("a", "b") == set()
    await add(world, noted(b"1", "b"), noted(b"2", "b"), noted(b"3", "c"))
    assert await waiting("a", "b") == {"b"}
    assert await waiting("a", "b", "c") == {"b", "c"}
    assert await taken(world, "b") == [b"1,2"]
    assert await waiting("a", "b", "c") == {"c"}


async def waiting_but(
    world: World, *but: OutboxRow, count_max: int = 10, event_type: str = "a"
) -> list[bytes]:
    """In a transaction of its own."""
    async with world.uow() as uow:
        found = await world.backlog(uow).waiting(
            event_type, count_max=count_max, before=world.clock.now(), but=[row.id for row in but]
        )
        return events(found)


async def test_waiting_rows_are_shown_oldest_first_without_the_known_ones_and_stay(world: World) -> None:
    first, _, third, _ = await kept(world, b"1", b"2", b"3", b"4")
    await add(world, noted(b"5", "b"))
    world.clock.advance(1)
    assert await waiting_but(world) == [b"1", b"2", b"3", b"4"]
    assert await waiting_but(world, first, third) == [b"2", b"4"]
    assert await waiting_but(world, first, count_max=1) == [b"2"]
    assert await waiting_but(world, first, event_type="b") == [b"5"]
    await add(world, noted(b"6"))
    assert await waiting_but(world) == [b"1", b"2", b"3", b"4"]


async def test_showing_a_row_locks_nothing_and_shows_what_another_has_taken(world: World) -> None:
    await kept(world, b"1", b"2")
    world.clock.advance(1)
    async with undone(world.uow()) as uow:
        assert events(await world.backlog(uow).take("a", count_max=1)) == [b"1"]
        assert await ended(world.start(waiting_but(world))) == [b"1", b"2"]
    async with world.uow() as uow:
        before = world.clock.now()
        await world.backlog(uow).waiting("a", count_max=10, before=before, but=[])
        assert await ended(world.start(taken(world))) == [b"1", b"2"]


async def test_postgres_a_take_that_finds_nothing_needs_no_transaction(postgres: PostgresWorld) -> None:
    async with postgres.uow() as uow:
        backlog = postgres.backlog(uow)
        assert await backlog.take("a", count_max=10) == []
        assert await backlog.waiting("a", count_max=10, before=postgres.clock.now(), but=[]) == []
        assert await backlog.waiting_since() is None
        assert await backlog.types_waiting(["a"]) == []
        assert not uow.transaction.begun
    await add(postgres, noted(b"1"))
    async with postgres.uow() as uow:
        assert events(await postgres.backlog(uow).take("a", count_max=10)) == [b"1"]
        assert uow.transaction.begun

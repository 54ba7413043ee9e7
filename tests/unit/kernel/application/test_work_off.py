"""What operators ask for is worked off in batches, by whoever may, and nothing newer is touched."""

import asyncio
import json
from typing import Any

import pytest

from kernel.application.work_off import BATCH_MAX
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Forbidden, Invalid, NotFound
from kernel.domain.parked import Kind, Operation
from tests.memory.operator_record import OPERATOR_RECORD
from tests.unit.clock import id_of
from tests.unit.kernel.application.operated import ADA, VIEWER, OperatedService, event, poisoned


async def group_of(world: OperatedService, number: int = 0) -> Any:
    return (await world.read.groups(ADA))[number]


async def ended(world: OperatedService, begun: Operation) -> Operation:
    while await world.work_off():
        pass
    return await world.read.operation(VIEWER, begun.id)


async def test_a_group_is_replayed_in_batches_each_with_its_progress() -> None:
    world = await poisoned(*range(1, 2 * BATCH_MAX + 2))
    group = await group_of(world)
    begun = await world.operate.group(ADA, Kind.REPLAY, group.id, "")
    assert (begun.total, begun.state, begun.outcome) == (2 * BATCH_MAX + 1, "running", "")
    progress = []
    while await world.work_off():
        now = await world.read.operation(VIEWER, begun.id)
        progress.append((now.passed, now.done, now.state, world.replayed))
    assert progress == [
        (BATCH_MAX, BATCH_MAX, "running", BATCH_MAX),
        (2 * BATCH_MAX, 2 * BATCH_MAX, "running", 2 * BATCH_MAX),
        (2 * BATCH_MAX + 1, 2 * BATCH_MAX + 1, "done", 2 * BATCH_MAX + 1),
    ]
    assert world.parked == []
    (act,) = world.database.rows(OPERATOR_RECORD)
    assert (act.did, act.subject, str(group.id) in act.about) == ("replay_messages", begun.id, True)


async def test_an_operation_leaves_alone_what_is_newer_than_it() -> None:
    world = await poisoned(1, 2)
    begun = await world.operate.group(ADA, Kind.DISCARD, (await group_of(world)).id, "a test")
    await world.consume(event(3))
    again = json.loads(event(2)) | {"id": "another"}
    await world.consume(json.dumps(again).encode())
    over = await ended(world, begun)
    assert (over.total, over.passed, over.done) == (2, 2, 1)
    assert "1 of 2 were discarded" in over.outcome
    subjects = {parked.unhandled.subject: parked.count for parked in world.parked}
    assert subjects == {str(id_of(2)): 2, str(id_of(3)): 1}


async def test_replicas_that_work_off_at_once_do_it_once_and_one_after_the_other() -> None:
    world = await poisoned(1, 2, 3)
    world.orders = {1, 2, 3}
    begun = await world.operate.group(ADA, Kind.REPLAY, (await group_of(world)).id, "")
    await asyncio.gather(*(world.work_off() for _ in range(4)))
    assert (await ended(world, begun)).done == 3
    await world.work()
    assert world.declined == [1, 2, 3]


async def test_a_viewer_changes_nothing_and_other_callers_see_nothing() -> None:
    world = await poisoned(1)
    group, (message,) = await group_of(world), world.parked
    for caller in (VIEWER, Caller(Role.USER, "ada", "gateway")):
        acts = [
            world.operate.message(caller, Kind.REPLAY, message.id, ""),
            world.operate.group(caller, Kind.DISCARD, group.id, "a test"),
            world.operate.hold(caller, group.id, owner="x", note="", ticket=""),
            world.operate.release(caller, group.id, ""),
        ]
        for act in acts:
            with pytest.raises(Forbidden):
                await act
    assert len(await world.read.page(VIEWER, limit=10)) == 1
    for reading in (
        world.read.page(Caller(Role.USER, "ada"), limit=10),
        world.read.groups(Caller(Role.SERVICE, "gateway")),
        world.read.message(Caller(Role.USER, "ada"), message.id),
        world.read.operation(Caller(Role.USER, "ada"), message.id),
    ):
        with pytest.raises(Forbidden):
            await reading
    assert world.database.rows(OPERATOR_RECORD) == []
    assert not await world.work_off()


@pytest.mark.parametrize("note", ["", " \n"])
async def test_nothing_is_discarded_without_saying_why(note: str) -> None:
    world = await poisoned(1)
    with pytest.raises(Invalid, match="note"):
        await world.operate.message(ADA, Kind.DISCARD, world.parked[0].id, note)
    with pytest.raises(Invalid, match="note"):
        await world.operate.group(ADA, Kind.DISCARD, (await group_of(world)).id, note)
    assert world.database.rows(OPERATOR_RECORD) == []


async def test_a_group_is_held_recorded_and_released_and_what_joins_it_is_held_too() -> None:
    world = await poisoned(1)
    group = await group_of(world)
    held = await world.operate.hold(ADA, group.id, owner="bob", note="waits for a fix", ticket="OPS-7")
    assert (held.hold.owner, held.hold.ticket, held.hold.held_by) == ("bob", "OPS-7", "ada")
    await world.consume(event(2))
    (same,) = await world.read.groups(VIEWER)
    assert (same.id, same.figures.messages, same.hold) == (group.id, 2, held.hold)
    assert await world.replay(*world.parked) == 2
    (empty,) = await world.read.groups(VIEWER)
    assert (empty.id, empty.figures, empty.hold) == (group.id, None, held.hold)
    released = await world.operate.release(ADA, group.id, "fixed")
    assert released.hold is None
    assert await world.read.groups(VIEWER) == []
    acts = [act for act in world.database.rows(OPERATOR_RECORD) if act.did.endswith("_group")]
    assert [(act.did, act.operator, act.note) for act in acts] == [
        ("hold_group", "ada", "owner bob; waits for a fix; ticket OPS-7"),
        ("release_group", "ada", "fixed"),
    ]


async def test_releasing_what_nobody_holds_changes_and_records_nothing() -> None:
    world = await poisoned(1)
    group = await group_of(world)
    assert (await world.operate.release(ADA, group.id, "")).hold is None
    assert world.database.rows(OPERATOR_RECORD) == []


async def test_an_account_or_order_that_does_not_exist_is_not_found() -> None:
    world = await poisoned(1)
    for act in (
        world.operate.message(ADA, Kind.REPLAY, id_of(9), ""),
        world.operate.group(ADA, Kind.REPLAY, id_of(9), ""),
        world.operate.hold(ADA, id_of(9), owner="bob", note="", ticket=""),
        world.operate.release(ADA, id_of(9), ""),
        world.read.operation(ADA, id_of(9)),
    ):
        with pytest.raises(NotFound):
            await act
    assert world.database.rows(OPERATOR_RECORD) == []

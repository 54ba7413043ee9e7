"""What every store of messages tells of one subject."""

from dataclasses import replace
from uuid import UUID

from kernel.domain.acts import Act
from kernel.domain.events import Parked
from kernel.domain.facts import What
from kernel.domain.parked import OwnName
from kernel.domain.pauses import Pause
from tests.memory.clock import EPOCH
from tests.ports.test_parked import UNHANDLED
from tests.ports.worlds import Noted, World

SUBJECT, OTHER = UUID(int=7), UUID(int=8)
PARKED = Parked(UUID(int=6), UNHANDLED, 1, EPOCH, EPOCH)
OF_THE_SERVER = (What.NOT_RUNNING, What.NAMELESS, What.BLOCKED, What.BACKLOG)


async def told(world: World, subject: UUID) -> list[tuple[What, str, str]]:
    found = await world.messaging_facts().about(subject)
    assert found.unread in ((), [])
    return [(fact.what, fact.source, fact.detail) for fact in found.facts if fact.what not in OF_THE_SERVER]


async def test_waiting_parked_and_finished_work_is_told_of_its_subject_alone(world: World) -> None:
    act = Act(user_id="alice", subject=SUBJECT, did="cancel", operator="ada", through="", note="so", at=EPOCH)
    async with world.uow() as uow:
        for subject in (SUBJECT, OTHER):
            text = f'{{"subject":"{subject}"}}'.encode()
            events = [Noted(traceparent="", subject_id=subject, type="noted", text=text)]
            await world.outbox(uow).add(events)
            await world.parked(uow).add([replace(UNHANDLED, subject=str(subject))])
            await world.record(uow).add([replace(act, subject=subject, operator=f"ada {subject.int}")])
    (parked,) = [row.id for row in await world.parked_rows() if row.subject == str(SUBJECT)]
    assert await told(world, SUBJECT) == [
        (What.IN_OUTBOX, "outbox", "noted"),
        (What.PARKED, "parked_messages", f"message {parked}, noted: order_not_found: there is no order 1"),
        (What.ACT, "operator_record", "cancel by ada 7: so"),
    ]
    assert await told(world, UUID(int=9)) == []


async def test_a_discarded_message_is_told_of_its_subject_alone(world: World) -> None:
    parked = replace(PARKED, unhandled=replace(UNHANDLED, subject=str(SUBJECT)))
    async with world.uow() as uow:
        await world.discarded(uow).add([parked], by="ada", note="lost anyway")
    assert await told(world, SUBJECT) == [
        (What.DISCARDED, "discarded_messages", "noted: order_not_found: by ada: lost anyway")
    ]
    assert await told(world, OTHER) == []


async def test_a_paused_consumer_is_told_of_every_subject(world: World) -> None:
    async with world.uow() as uow:
        await world.pauses(uow, OwnName("orders")).begin(Pause(by="ada", note="so", since=EPOCH))
        await world.pauses(uow, OwnName("payments")).begin(Pause(by="bob", note="", since=EPOCH))
    assert await told(world, SUBJECT) == [(What.PAUSED, "paused_consumers", "by ada: so")]


async def test_an_event_waits_in_the_outbox_since_it_was_added(world: World) -> None:
    async with world.uow() as uow:
        text = str(SUBJECT).encode()
        await world.outbox(uow).add([Noted(traceparent="", subject_id=SUBJECT, type="noted", text=text)])
    async with world.uow() as uow:
        since = await world.backlog(uow).waiting_since()
    found = await world.messaging_facts().about(SUBJECT)
    (fact,) = [one for one in found.facts if one.what is What.IN_OUTBOX]
    assert fact.at == since

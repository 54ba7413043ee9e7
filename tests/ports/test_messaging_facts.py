"""What every store of messages tells of one subject."""

from dataclasses import replace
from uuid import UUID

from kernel.domain.acts import Act
from kernel.domain.facts import What
from kernel.domain.parked import OwnName
from kernel.domain.pauses import Pause
from tests.memory.clock import EPOCH
from tests.ports.test_parked import UNHANDLED
from tests.ports.worlds import Noted, World

SUBJECT, OTHER = UUID(int=7), UUID(int=8)
OF_SESSIONS = (What.NOT_RUNNING, What.BLOCKED)


async def told(world: World, subject: UUID) -> list[tuple[What, str, str]]:
    found = await world.messaging_facts().about(subject)
    return [(fact.what, fact.source, fact.detail) for fact in found if fact.what not in OF_SESSIONS]


async def test_what_waits_is_parked_or_was_done_is_told_of_its_subject_alone(world: World) -> None:
    act = Act(user_id="alice", subject=SUBJECT, did="cancel", operator="ada", through="", note="so", at=EPOCH)
    async with world.uow() as uow:
        for subject in (SUBJECT, OTHER):
            text = f'{{"subject":"{subject}"}}'.encode()
            events = [Noted(traceparent="", subject_id=subject, type="noted", text=text)]
            await world.outbox(uow).add(events)
            await world.parked(uow).add([replace(UNHANDLED, subject=str(subject))])
            await world.record(uow).add([replace(act, subject=subject, operator=f"ada {subject.int}")])
    assert await told(world, SUBJECT) == [
        (What.IN_OUTBOX, "outbox", "noted"),
        (What.PARKED, "parked_messages", "noted: order_not_found: there is no order 1"),
        (What.ACT, "operator_record", "cancel by ada 7: so"),
    ]
    assert await told(world, UUID(int=9)) == []


async def test_a_paused_consumer_is_told_of_every_subject(world: World) -> None:
    async with world.uow() as uow:
        await world.pauses(uow, OwnName("orders")).begin(Pause(by="ada", note="so", since=EPOCH))
        await world.pauses(uow, OwnName("payments")).begin(Pause(by="bob", note="", since=EPOCH))
    assert await told(world, SUBJECT) == [(What.PAUSED, "paused_consumers", "by ada: so")]


async def test_what_waits_in_the_outbox_waits_since_it_was_added(world: World) -> None:
    async with world.uow() as uow:
        text = str(SUBJECT).encode()
        await world.outbox(uow).add([Noted(traceparent="", subject_id=SUBJECT, type="noted", text=text)])
    async with world.uow() as uow:
        since = await world.backlog(uow).waiting_since()
    (fact,) = [one for one in await world.messaging_facts().about(SUBJECT) if one.what is What.IN_OUTBOX]
    assert fact.at == since

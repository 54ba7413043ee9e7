"""Whatever fails at whichever call: what an operator does happens once and is recorded once, or not at all.

SIM_CALL (a number, or a name like operations.add for all of them) and SIM_FAULT replay the run that a failure
names.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from kernel.application import work_off
from kernel.domain.parked import Kind
from payments import wire
from payments.domain.events import PaymentCaptured
from tests.memory.operations import HELD, OPERATIONS
from tests.memory.operator_record import OPERATOR_RECORD
from tests.memory.parked import DISCARDED, PARKED
from tests.memory.pauses import PAUSED
from tests.simulation.faults import OPERATING, OneFault, RandomFaults, faults_of
from tests.simulation.operated import ADA, HANDLED, OperatedShop, Operator, run

RANDOM_RUNS = 50
# In fair weather two seconds; a process that fails to look does so again.
FOLLOWED_WITHIN_S = 4.0


def captured(number: int) -> bytes:
    order = UUID(int=number)
    event = PaymentCaptured(order_id=order, user_id="alice", traceparent="", transfer_id=order)
    return wire.encode(event, UUID(int=100 + number), datetime(2026, 1, 1, tzinfo=UTC))[1]


EVENTS = [captured(number) for number in (1, 2, 3)]
LETTER, GARBAGE = b"[" + captured(4) + b"," + captured(5) + b"]", b"garbage"
BODIES = (*EVENTS, LETTER, GARBAGE)


def of_events(shop: OperatedShop) -> Counter[str]:
    """How often each event was handled, discarded, or waits."""
    found = Counter(handled.message for handled in shop.database.rows(HANDLED))
    rows = [*shop.database.rows(PARKED), *(one.parked for one in shop.database.rows(DISCARDED))]
    for row in rows:
        if not row.unhandled.dead_letter:
            found[row.unhandled.message.id] += row.count
    return found


async def replays(shop: OperatedShop) -> None:
    """A letter is handed over once for each request, and stays where a process ended over it."""
    await shop.operate(Kind.REPLAY, "parked")
    while LETTER in [row.unhandled.payload for row in shop.database.rows(PARKED)]:
        await shop.operate(Kind.REPLAY, "dead letters")
        while not await shop.is_quiet():
            await asyncio.sleep(1)


def replayed(shop: OperatedShop) -> None:
    assert of_events(shop) == {str(UUID(int=100 + number)): 1 for number in range(1, 6)}
    assert len(shop.database.rows(HANDLED)) == 5
    assert [(row.unhandled.payload, row.count) for row in shop.database.rows(PARKED)] == [(GARBAGE, 1)]
    events = [one for one in shop.database.rows(OPERATIONS) if "parked," in one.about]
    assert sum(one.done for one in events) == len(EVENTS)


async def discards(shop: OperatedShop) -> None:
    await shop.operate(Kind.DISCARD, "parked")
    await shop.operate(Kind.DISCARD, "dead letters")


def discarded(shop: OperatedShop) -> None:
    assert shop.database.rows(PARKED) == shop.database.rows(HANDLED) == []
    payloads = Counter(one.parked.unhandled.payload for one in shop.database.rows(DISCARDED))
    assert payloads == dict.fromkeys(BODIES, 1)
    assert {(one.by, one.note) for one in shop.database.rows(DISCARDED)} == {("ada", "a test")}
    assert sum(one.done for one in shop.database.rows(OPERATIONS)) == len(BODIES)


async def both_at_once(shop: OperatedShop) -> None:
    await asyncio.gather(
        shop.operate(Kind.DISCARD, "parked"),
        shop.operate(Kind.REPLAY, "parked"),
        shop.operate(Kind.REPLAY, "parked"),
    )


def either(shop: OperatedShop) -> None:
    found = of_events(shop)
    assert found == {str(UUID(int=100 + number)): 1 for number in (1, 2, 3)}
    assert not [row for row in shop.database.rows(PARKED) if not row.unhandled.dead_letter]


async def holds(shop: OperatedShop) -> None:
    (group,) = await shop.groups("parked")
    await shop.ask(lambda one: one.operate.hold(ADA, group.id, owner="ada", note="", ticket=""))
    (letters,) = await shop.groups("dead letters")
    await shop.ask(lambda one: one.operate.hold(ADA, letters.id, owner="ada", note="", ticket=""))
    await shop.ask(lambda one: one.operate.release(ADA, group.id, ""))


def held(shop: OperatedShop) -> None:
    assert [one.cause.place for one in shop.database.rows(HELD)] == ["dead letters"]
    did = Counter(act.did for act in shop.database.rows(OPERATOR_RECORD))
    assert did["release_group"] == 1
    assert did["hold_group"] >= 2


async def pauses(shop: OperatedShop) -> None:
    """What is replayed meanwhile waits; two pause at once, and each repeats until an answer comes."""
    await asyncio.gather(*(shop.ask(lambda one: one.consumer.pause(ADA, "a flood")) for _ in range(2)))
    await asyncio.sleep(FOLLOWED_WITHIN_S)
    await shop.operate(Kind.REPLAY, "parked")
    await asyncio.sleep(FOLLOWED_WITHIN_S)
    if shop.database.rows(HANDLED):
        shop.broken.append("a paused consumer handled something")
    await asyncio.gather(*(shop.ask(lambda one: one.consumer.resume(ADA, "")) for _ in range(2)))
    await shop.ask(lambda one: one.consumer.resume(ADA, ""))


def resumed(shop: OperatedShop) -> None:
    assert shop.database.rows(PAUSED) == []
    assert of_events(shop) == {str(UUID(int=100 + number)): 1 for number in (1, 2, 3)}
    assert len(shop.database.rows(HANDLED)) == 3
    acts = Counter((act.did, act.note) for act in shop.database.rows(OPERATOR_RECORD))
    assert (acts["pause_consumer", "a flood"], acts["resume_consumer", ""]) == (1, 1)


FLOWS: dict[str, tuple[Operator, Callable[[OperatedShop], None]]] = {
    "replay": (replays, replayed),
    "discard": (discards, discarded),
    "both": (both_at_once, either),
    "hold": (holds, held),
    "pause": (pauses, resumed),
}
flows = pytest.mark.parametrize("name", FLOWS)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an operation has several."""
    monkeypatch.setattr(work_off, "BATCH_MAX", 2)


def check(shop: OperatedShop, name: str, **replay: object) -> None:
    told = f"{name} {replay}\n" + "\n".join([*shop.broken, *shop.story[-60:]])
    assert not shop.broken, told
    try:
        FLOWS[name][1](shop)
        begun = {one.id for one in shop.database.rows(OPERATIONS)}
        acts = [act for act in shop.database.rows(OPERATOR_RECORD) if act.did.endswith("_messages")]
        assert Counter(act.subject for act in acts) == dict.fromkeys(begun, 1)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{told}") from error


@flows
def test_whatever_happens_at_whichever_call_it_is_done_once_and_recorded_once(name: str) -> None:
    operator, _ = FLOWS[name]
    shop = run(fair := OneFault(), operator, *BODIES)
    check(shop, name)
    wanted_call, wanted_fault = os.environ.get("SIM_CALL"), os.environ.get("SIM_FAULT")
    for number, call in enumerate(fair.calls[: shop.calls_to_rest]):
        for fault in faults_of(call):
            if wanted_call in (None, str(number), call) and wanted_fault in (None, fault.name):
                struck = run(OneFault(number, fault), operator, *BODIES)
                check(struck, name, SIM_CALL=number, SIM_FAULT=fault.name)


@flows
def test_at_random_it_is_done_once_and_recorded_once(name: str) -> None:
    for seed in range(RANDOM_RUNS):
        check(run(RandomFaults(seed), FLOWS[name][0], *BODIES, replicas=2), name, seed=seed)


def test_the_flows_make_every_kind_of_call() -> None:
    calls = set()
    for operator, _ in FLOWS.values():
        run(weather := OneFault(), operator, *BODIES)
        calls |= set(weather.calls)
    assert {call.split(".")[0] for call in calls} >= OPERATING | {"parked", "inbox", "outbox", "reading"}
    assert calls >= {"operations.add", "operations.batch", "operations.save", "parked.take", "held.release"}
    assert calls >= {"pauses.begin", "pauses.end", "reading.standing"}

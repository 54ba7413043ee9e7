"""Whatever fails at whichever call: what an operator does happens once and is recorded once, or not at all.

SIM_CALL (a number, or a name like operations.add for all of them) and SIM_FAULT replay the run that a failure
names.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kernel.application import work_off
from kernel.domain.parked import Kind
from orders.application import begin_audit, run_audit
from orders.application.begin_audit import BeginAudits
from orders.application.read_audit import LatestAudit
from orders.application.run_audit import RunAudit
from orders.domain.audit_run import AuditRun, BeginAudit, RunState, begin
from payments import wire
from payments.domain.events import PaymentCaptured
from tests.memory.audit import AUDIT_RUNS
from tests.memory.operations import HELD, OPERATIONS
from tests.memory.operator_record import OPERATOR_RECORD
from tests.memory.parked import DISCARDED, PARKED
from tests.memory.pauses import PAUSED
from tests.simulation.bugs_of_operators import RecordBeside
from tests.simulation.faults import OPERATING, Fault, OneFault, RandomFaults, faults_of
from tests.simulation.observing import Watched
from tests.simulation.operated import OperatedShop, Operator, run
from tests.simulation.operated_service import ADA, HANDLED, OperatedParts

RANDOM_RUNS = 50
# In fair weather two seconds; a process that fails to look does so again.
FOLLOWED_WITHIN_S = 4.0
READS_EVERY_S = 4.0


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
    """A replay meanwhile waits; two pause at once, and each repeats until an answer comes."""
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


async def audits(shop: OperatedShop) -> None:
    """Two begin one at once; whoever sees that it died begins it again."""
    await asyncio.gather(*(shop.ask(lambda one: one.begin_audit()) for _ in range(2)))
    while True:
        await asyncio.sleep(READS_EVERY_S)
        found = await shop.ask(lambda one: one.read_audit(ADA))
        if found is None or found[1] in (RunState.DIED, RunState.FAILED):
            await shop.ask(lambda one: one.begin_audit())
        elif found[1] is not RunState.RUNNING:
            break


def audited(shop: OperatedShop) -> None:
    *earlier, last = sorted(shop.database.rows(AUDIT_RUNS), key=lambda run: run.number)
    assert (last.state, last.checked) == (RunState.UNSOUND, [("histories", 2, 0), ("orders", 2, 1)])
    assert {run.state for run in earlier} <= {RunState.DIED, RunState.UNSOUND, RunState.FAILED}
    acts = Counter((act.did, act.subject, act.operator) for act in shop.database.rows(OPERATOR_RECORD))
    assert acts == {("begin_audit", run.id, "ada"): 1 for run in (*earlier, last)}


FLOWS: dict[str, tuple[Operator, Callable[[OperatedShop], None]]] = {
    "replay": (replays, replayed),
    "discard": (discards, discarded),
    "both": (both_at_once, either),
    "hold": (holds, held),
    "pause": (pauses, resumed),
    "audit": (audits, audited),
}
flows = pytest.mark.parametrize("name", FLOWS)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an operation has several; and an audit that is patient for as long as it renews its lease."""
    monkeypatch.setattr(work_off, "BATCH_MAX", 2)
    monkeypatch.setattr(run_audit, "PATIENCE", timedelta(seconds=3))


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


def bodies(name: str) -> tuple[bytes, ...]:
    return () if name == "audit" else BODIES


def schedules(name: str) -> Iterator[tuple[int, Fault]]:
    """Of an audit, those calls that begin it meet all faults; what it reads, and its readers, one in turn."""
    shop = run(fair := Watched(), FLOWS[name][0], *bodies(name))
    check(shop, name)
    for number, call in enumerate(fair.calls[: shop.calls_to_rest]):
        faults, use_case = list(faults_of(call)), fair.use_cases[number]
        if use_case in (RunAudit, LatestAudit):
            yield number, faults[number % len(faults)]
        elif name != "audit" or use_case is BeginAudits or call == "http.operate":
            yield from ((number, fault) for fault in faults)


@flows
def test_whatever_happens_at_whichever_call_it_is_done_once_and_recorded_once(name: str) -> None:
    wanted_call, wanted_fault = os.environ.get("SIM_CALL"), os.environ.get("SIM_FAULT")
    for number, fault in schedules(name):
        if wanted_call in (None, str(number)) and wanted_fault in (None, fault.name):
            struck = run(OneFault(number, fault), FLOWS[name][0], *bodies(name))
            check(struck, name, SIM_CALL=number, SIM_FAULT=fault.name)


@flows
def test_at_random_it_is_done_once_and_recorded_once(name: str) -> None:
    for seed in range(RANDOM_RUNS):
        check(run(RandomFaults(seed), FLOWS[name][0], *bodies(name), replicas=2), name, seed=seed)


@flows
def test_a_record_in_a_transaction_of_its_own_is_found(name: str) -> None:
    assert any(broken(name, "record.add", Fault.DIES_AFTER, OperatedParts(record=RecordBeside)))


def test_an_audit_that_nobody_can_begin_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AuditRun, "state_at", lambda run, now: run.state)
    assert any(broken("audit", "own.run", Fault.DIES_AFTER))


def test_an_audit_that_is_begun_while_one_runs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begin_audit, "begin", beside)
    assert run(OneFault(), audits).broken


def beside(command: BeginAudit, latest: AuditRun | None, now: datetime) -> AuditRun:
    begun = begin(command, None, now)
    begun.number = 1 if latest is None else latest.number + 1
    return begun


def broken(name: str, where: str, fault: Fault, parts: OperatedParts | None = None) -> Iterator[list[str]]:
    run(fair := OneFault(), FLOWS[name][0], *bodies(name))
    for number, call in enumerate(fair.calls):
        if call == where:
            yield run(OneFault(number, fault), FLOWS[name][0], *bodies(name), parts=parts).broken


def test_the_flows_make_every_kind_of_call() -> None:
    calls = set()
    for name, (operator, _) in FLOWS.items():
        run(weather := OneFault(), operator, *bodies(name))
        calls |= set(weather.calls)
    assert {call.split(".")[0] for call in calls} >= OPERATING | {"parked", "inbox", "outbox", "reading"}
    assert calls >= {"operations.add", "operations.batch", "operations.save", "parked.take", "held.release"}
    assert calls >= {"pauses.begin", "pauses.end", "reading.standing"}
    assert calls >= {"runs.latest", "runs.add", "runs.save", "own.run", "claims.page", "decided.known"}

"""A run of the audit compares orders with payments page by page, and outlives what is away for a while."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from kernel.domain.acts import Act
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Conflict, Forbidden, ShopError, Unavailable
from kernel.domain.faults import Checked, Fault
from orders.application.begin_audit import BeginAudits
from orders.application.read_audit import LatestAudit, ReadAudit
from orders.application.run_audit import AWAY_MAX, PAGE, BegunAudits, RunAudit
from orders.domain.audit_run import LEASE, AuditRun, BeginAudit, RunState
from orders.domain.claims import Claim, KnownOrders, KnownPayments
from orders.domain.status import Status
from orders.domain.verdict import Decision, Key, Ordered, Paid
from payments.domain.payment import Decision as PaymentsDecision
from tests.memory.audit import (
    AUDIT_RUNS,
    MemoryAuditRuns,
    MemoryOrderClaims,
    MemoryOwnChecks,
    MemoryPaymentClaims,
)
from tests.memory.clock import EPOCH, MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.operator_record import OPERATOR_RECORD, MemoryOperatorRecord
from tests.memory.unit_of_work import MemoryUnitOfWork

ADA = Caller(Role.OPERATOR, "ada", "gateway")
FAULT = Fault("account of alice", "balance_negative", "-1.00", "never negative")
PAID = "captured 500 RUB"


def key(number: int) -> Key:
    return f"user{number:05}", UUID(int=number)


def claims(numbers: Sequence[int], claim: str = PAID) -> list[Claim]:
    return [Claim(*key(number), claim) for number in numbers]


class Shop:
    """A shop with so many orders; those that `missing` names payments does not know."""

    def __init__(self, size: int = 3, missing: Sequence[int] = ()) -> None:
        self.database, self.clock = MemoryDatabase(), MemoryClock()
        at = self.clock.now()
        ordered = Ordered(
            amount=500, currency="RUB", status=Status.FINISHED, reason=None, created_at=at, updated_at=at
        )
        paid = Paid(
            decision="captured", reason=None, created_at=at, amount=500, currency="RUB", refunded_at=None
        )
        numbers = range(1, size + 1)
        there = [number for number in numbers if number not in missing]
        known = KnownOrders({key(n): ordered for n in numbers}, (), at)
        self.own = MemoryOwnChecks([Checked("histories", size)])
        self.orders = MemoryOrderClaims(claims(numbers), known)
        self.payments = MemoryPaymentClaims(claims(there), KnownPayments({key(n): paid for n in there}, ()))
        self.begun: list[AuditRun] = []

    async def begin(self, number: int = 1, caller: Caller = ADA) -> AuditRun | ShopError:
        uow = MemoryUnitOfWork(self.database)
        begin = BeginAudits(
            uow, MemoryAuditRuns(uow), MemoryOperatorRecord(uow), self.begun.append, self.clock
        )
        [outcome] = await begin([BeginAudit(run_id=UUID(int=number), caller=caller)])
        return outcome

    def audit(self) -> RunAudit:
        uow = MemoryUnitOfWork(self.database)
        return RunAudit(uow, MemoryAuditRuns(uow), self.own, self.orders, self.payments, self.clock)

    async def run(self) -> AuditRun:
        """Begun, and over."""
        await self.begin()
        await self.audit()(self.begun[-1])
        return await self.latest()

    async def latest(self) -> AuditRun:
        uow = MemoryUnitOfWork(self.database)
        found = await ReadAudit(LatestAudit(uow, MemoryAuditRuns(uow)), self.clock)(ADA)
        assert found is not None
        run, state = found
        return replace(run, state=state)


def kinds(run: AuditRun) -> list[tuple[str, str, str]]:
    return [(check, fault.kind, fault.subject.split()[-1]) for check, fault in run.faults]


@pytest.mark.parametrize("size", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
async def test_a_sound_shop_has_no_fault_however_many_pages_it_has(size: int) -> None:
    run = await Shop(size).run()
    assert (run.state, run.detail, run.faults) == (RunState.SOUND, "", [])
    assert run.checked == [("histories", size, 0), ("orders", size, 0)]
    assert (run.done, run.total, run.operator) == (size, size, "ada")


@pytest.mark.parametrize("missing", [1, PAGE, PAGE + 1, PAGE + 5])
async def test_an_order_that_payments_does_not_know_is_found_on_any_page(missing: int) -> None:
    run = await Shop(PAGE + 5, [missing]).run()
    assert run.state is RunState.UNSOUND
    assert kinds(run) == [("orders", "finished_not_captured", f"user{missing:05}")]


async def test_a_payment_that_orders_does_not_know_is_found_wherever_it_lies() -> None:
    shop = Shop(PAGE + 5, [])
    strangers = [0, PAGE, PAGE + 6, *range(PAGE + 10, 2 * PAGE + 20)]
    for number in strangers:
        shop.orders.claims = [claim for claim in shop.orders.claims if claim.key != key(number)]
    shop.orders.all = KnownOrders(
        {k: v for k, v in shop.orders.all.orders.items() if k != key(PAGE)}, (), EPOCH
    )
    shop.payments.claims = sorted({*shop.payments.claims, *claims(strangers)})
    paid = shop.payments.all.payments[key(1)]
    shop.payments.all = KnownPayments({claim.key: paid for claim in shop.payments.claims}, ())
    run = await shop.run()
    assert run.fault_count == len(strangers)
    assert {kind for _, kind, _ in kinds(run)} == {"order_missing"}


async def test_faults_that_the_services_find_by_themselves_are_told_too() -> None:
    shop = Shop()
    shop.payments.found = [Checked("accounts", 5, 1, [FAULT])]
    run = await shop.run()
    assert run.state is RunState.UNSOUND
    assert run.checked == [("histories", 3, 0), ("accounts", 5, 1), ("orders", 3, 0)]
    assert run.faults == [("accounts", FAULT)]


async def test_a_difference_that_was_only_under_way_is_no_fault() -> None:
    """The claims differ, and what is known of the order a moment later does not."""
    shop = Shop()
    shop.payments.claims = shop.payments.claims[1:]
    assert (await shop.run()).state is RunState.SOUND


async def test_payments_that_are_away_for_a_while_are_waited_for() -> None:
    shop, asked = Shop(), 0
    page = shop.payments.page

    async def away(after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        nonlocal asked
        asked += 1
        if asked < 10:
            raise Unavailable("payments does not answer")
        return await page(after, until, count_max=count_max)

    shop.payments.page = away  # type: ignore[method-assign]
    assert (await shop.run()).state is RunState.SOUND
    assert asked == 10


async def test_a_run_without_payments_fails_and_says_so() -> None:
    shop = Shop()

    async def away() -> Sequence[Checked]:
        raise Unavailable("the payments service does not answer")

    shop.payments.checked = away  # type: ignore[method-assign]
    run = await shop.run()
    assert (run.state, run.detail) == (RunState.FAILED, "the payments service does not answer")
    assert run.checked == [("histories", 3, 0)]
    assert shop.clock.now() - EPOCH >= AWAY_MAX


async def test_a_mistake_in_a_run_ends_it_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()

    async def broken() -> Sequence[Checked]:
        raise LookupError("secret")

    shop.own.run = broken  # type: ignore[method-assign]
    run = await shop.run()
    assert (run.state, run.detail) == (RunState.FAILED, "LookupError, see the log")
    assert "audit 1 failed" in caplog.text


async def test_a_run_is_recorded_as_it_begins_and_once() -> None:
    shop = Shop()
    first = await shop.begin(1)
    again = await shop.begin(1)
    assert isinstance(first, AuditRun)
    assert first == again
    assert isinstance(await shop.begin(2), Conflict)
    [act] = shop.database.rows(OPERATOR_RECORD)
    assert act == Act(
        user_id="", subject=UUID(int=1), did="begin_audit", operator="ada", through="gateway", at=EPOCH
    )


async def test_a_viewer_begins_none() -> None:
    shop = Shop()
    with pytest.raises(Forbidden):
        await shop.begin(caller=Caller(Role.VIEWER, "vera"))
    assert shop.begun == []


async def test_a_run_that_lost_its_process_is_begun_again_and_the_lost_one_writes_no_more() -> None:
    shop = Shop()
    await shop.begin(1)
    lost = shop.begun[-1]
    shop.clock.advance(LEASE.total_seconds())
    assert (await shop.latest()).state is RunState.DIED
    second = await shop.begin(2)
    assert isinstance(second, AuditRun)
    assert second.number == 2
    shop.payments.found = [Checked("accounts", 5, 1, [FAULT])]
    await shop.audit()(lost)
    rows = {row.number: row for row in shop.database.rows(AUDIT_RUNS)}
    assert (rows[1].state, rows[1].checked) == (RunState.DIED, [])
    assert rows[2] == second


async def test_runs_begun_here_run_here_one_after_another() -> None:
    done: list[AuditRun] = []

    async def run_audit(run: AuditRun) -> None:
        done.append(run)
        if len(done) == 1:
            raise Unavailable("the database is away")

    begun = BegunAudits(run_audit)
    job = asyncio.create_task(begun.run())
    one = AuditRun(number=1, id=UUID(int=1), operator="", through="", began_at=EPOCH, lease_until=EPOCH)
    two = replace(one, number=2)
    begun.start(one)
    begun.start(two)
    async with asyncio.timeout(10):
        while len(done) < 2:
            await asyncio.sleep(0)
    job.cancel()
    assert done == [one, two]


def test_orders_calls_decisions_as_payments_does() -> None:
    assert {*PaymentsDecision} == {*Decision} - {Decision.REFUNDED}

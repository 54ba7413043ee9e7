"""The audit of the command, and that of the shop itself, name the culprit of every damage."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from kernel.adapters.postgres.own_checks import PostgresOwnChecks
from kernel.contracts.values import same_fields
from kernel.domain.caller import Caller, Role
from kernel.domain.faults import Checked
from orders.adapters.outbound.audit import CHECKS as ORDERS_CHECKS
from orders.adapters.outbound.claims import PostgresOrderClaims
from orders.application.run_audit import RunAudit
from orders.domain.audit_run import AuditRun, BeginAudit, RunState, begin
from orders.domain.claims import Claim, KnownPayments
from orders.domain.verdict import Key, Paid
from payments.adapters.outbound.audit import CHECKS as PAYMENTS_CHECKS
from payments.adapters.outbound.claims import PostgresClaims
from payments.wire import known_payment
from tests.memory.audit import MemoryAuditRuns
from tests.memory.clock import MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.shop.audit.books import Books, Damage, culprits
from tests.unit.shop.audit.damages_of_orders import DAMAGES_OF_ORDERS
from tests.unit.shop.audit.damages_of_payments import DAMAGES_OF_PAYMENTS


class PaymentsBeside:
    """Payments as the orders service asks it, without HTTP between."""

    def __init__(self, url: str) -> None:
        self._claims = PostgresClaims(url)
        self._own = PostgresOwnChecks(url, PAYMENTS_CHECKS, patience_s=0)

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        return [Claim(*one) for one in await self._claims.page(after, until, count_max=count_max)]

    async def known(self, keys: Sequence[Key]) -> KnownPayments:
        known = [known_payment(one) for one in await self._claims.known(keys)]
        payments = {(one.user_id, one.order_id): same_fields(one, Paid) for one in known if one.known}
        return KnownPayments(payments, {str(one.order_id) for one in known if one.waiting})

    async def checked(self) -> Sequence[Checked]:
        return await self._own.run()


async def run_in_the_shop(books: Books) -> AuditRun:
    """The audit that the orders service runs itself."""
    clock, database = MemoryClock(now=datetime.now(UTC)), MemoryDatabase()
    uow = MemoryUnitOfWork(database)
    runs, orders_url = MemoryAuditRuns(uow), books.urls["orders"]
    command = BeginAudit(run_id=clock.new_id(), caller=Caller(Role.OPERATOR, "ada"))
    run = begin(command, None, clock.now())
    async with uow:
        await runs.add(run)
    own = PostgresOwnChecks(orders_url, ORDERS_CHECKS, patience_s=0)
    payments = PaymentsBeside(books.urls["payments"])
    await RunAudit(uow, runs, own, PostgresOrderClaims(orders_url), payments, clock)(run)
    return run


DAMAGES = {"payments": DAMAGES_OF_PAYMENTS, "orders": DAMAGES_OF_ORDERS}


@pytest.mark.parametrize(
    ("service", "damage"),
    [pytest.param(service, one, id=one.done) for service, damages in DAMAGES.items() for one in damages],
)
async def test_the_command_and_the_shop_name_the_culprit_of(
    service: str, damage: Damage, books: Books
) -> None:
    await books.harm(service, damage.statements)
    wanted = [(kind, books.named(subject)) for kind, subject in damage.found]
    report = await books.audit()
    assert culprits(report) == wanted
    assert (report.sound, report.fault_count) == (False, len(wanted))
    assert all(fault.found != fault.expected for fault in report.faults)
    run = await run_in_the_shop(books)
    found = [(fault.kind, fault.subject.partition(" (")[0]) for _, fault in run.faults]
    assert sorted(found) == sorted(wanted)
    assert (run.state, run.detail) == (RunState.UNSOUND, "")

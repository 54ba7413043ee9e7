"""Every adapter of the payments service, named once."""

from dishka import AsyncContainer, Provider, Scope, make_async_container, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.messages.outbox import PostgresOutbox
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.sources import from_its_publisher
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.group_commit import GroupCommit
from kernel.ports.bus import Bus
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.outbox import Outbox
from kernel.wiring.background import RelayDispatcher
from kernel.wiring.providers import KernelProvider
from kernel.wiring.use_cases import scoped
from payments import wire
from payments.adapters.outbound.postgres import (
    PostgresAccounts,
    PostgresLedger,
    PostgresOpenedAccounts,
    PostgresPayments,
    PostgresStatements,
)
from payments.application.admit_orders import AdmitOrders
from payments.application.charge_orders import ChargeOrders
from payments.application.make_deposits import MakeDeposits
from payments.application.open_accounts import OpenAccounts
from payments.application.read_accounts import ReadAccounts
from payments.domain.account import Deposit, Deposited, OpenAccount, Opened
from payments.domain.events import PaymentRequest, PaymentResult
from payments.messaging import MESSAGING
from payments.ports.accounts import Accounts, Ledger, OpenedAccounts, Payments, Statements
from payments.settings import PaymentsSettings


class PaymentsProvider(Provider):
    scope = Scope.REQUEST

    def __init__(self, settings: PaymentsSettings, telemetry: Telemetry) -> None:
        super().__init__()
        self._telemetry = telemetry
        self._settings = settings

    accounts = provide(PostgresAccounts, provides=Accounts)
    ledger = provide(PostgresLedger, provides=Ledger)
    payments = provide(PostgresPayments, provides=Payments)
    opened_accounts = provide(PostgresOpenedAccounts, provides=OpenedAccounts, scope=Scope.APP)
    statements = provide(PostgresStatements, provides=Statements, scope=Scope.APP)
    admit_orders = provide(AdmitOrders, scope=Scope.APP)
    charge_orders = provide(ChargeOrders)
    read_accounts = provide(ReadAccounts, scope=Scope.APP)

    @provide
    def outbox(
        self, uow: PostgresUnitOfWork, clock: Clock, dispatcher: RelayDispatcher
    ) -> Outbox[PaymentResult]:
        return PostgresOutbox(uow, clock, wire.encode, dispatcher)

    @provide
    def open_accounts(
        self, uow: PostgresUnitOfWork, accounts: Accounts, record: OperatorRecord, clock: Clock
    ) -> OpenAccounts:
        return OpenAccounts(uow, accounts, record, clock, self._settings.shop_currency)

    @provide
    def make_deposits(
        self,
        uow: PostgresUnitOfWork,
        accounts: Accounts,
        ledger: Ledger,
        record: OperatorRecord,
        clock: Clock,
    ) -> MakeDeposits:
        by_users = self._settings.shop_deposits == "users"
        return MakeDeposits(uow, accounts, ledger, record, clock, by_users=by_users)

    @provide(scope=Scope.APP)
    def group_of_openings(self, container: AsyncContainer, clock: Clock) -> GroupCommit[OpenAccount, Opened]:
        return GroupCommit(self._telemetry.batches("open_accounts", scoped(container, OpenAccounts)), clock)

    @provide(scope=Scope.APP)
    def group_of_deposits(self, container: AsyncContainer, clock: Clock) -> GroupCommit[Deposit, Deposited]:
        return GroupCommit(self._telemetry.batches("make_deposits", scoped(container, MakeDeposits)), clock)

    @provide(scope=Scope.APP)
    def consumer(self, container: AsyncContainer, clock: Clock) -> Consumer[PaymentRequest]:
        charge_orders = self._telemetry.batches("charge_orders", scoped(container, ChargeOrders), "consumer")
        decode = from_its_publisher(wire.decode, self._settings.shop_event_sources.split(","))
        return Consumer(decode, charge_orders, scoped(container, ParkMessage), clock, MESSAGING.subject)


def assemble(
    settings: PaymentsSettings, engine: AsyncEngine, bus: Bus, telemetry: Telemetry
) -> AsyncContainer:
    return make_async_container(KernelProvider(engine, bus, telemetry), PaymentsProvider(settings, telemetry))

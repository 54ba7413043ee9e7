"""Assembles the payments service. Every adapter is named here, once."""

from dishka import AsyncContainer, Provider, Scope, provide, provide_all

from kernel.adapters.lanes.own_checks import OwnChecksOfLanes
from kernel.adapters.postgres.messages.outbox import PostgresOutbox
from kernel.adapters.postgres.own_checks import PostgresOwnChecks
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.sources import from_its_publisher
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.group_commit import GroupCommit
from kernel.lane_servers import lane_servers, urls_of
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.outbox import Outbox
from kernel.ports.own_checks import OwnChecks
from kernel.wiring.background import RelayDispatcher
from kernel.wiring.lanes import LANE, Lanes, over_all
from kernel.wiring.use_cases import scoped
from payments import wire
from payments.adapters.outbound.audit import CHECKS
from payments.adapters.outbound.claims import PostgresClaims
from payments.adapters.outbound.lanes import (
    ClaimsOfLanes,
    DecisionsOfLanes,
    OpenedAccountsOfLanes,
    StatementsOfLanes,
)
from payments.adapters.outbound.postgres import (
    PostgresAccounts,
    PostgresDecisions,
    PostgresLedger,
    PostgresOpenedAccounts,
    PostgresPayments,
)
from payments.adapters.outbound.postgres_statements import PostgresStatements
from payments.application.admit_orders import AdmitOrders
from payments.application.charge_orders import ChargeOrders
from payments.application.correct_accounts import CorrectAccounts
from payments.application.explain_payment import ExplainPayment
from payments.application.freeze_accounts import FreezeAccounts
from payments.application.make_deposits import MakeDeposits
from payments.application.open_accounts import OpenAccounts
from payments.application.read_accounts import ReadAccounts
from payments.application.read_claims import ReadClaims
from payments.domain.account import Account, Deposited, Opened
from payments.domain.commands import CorrectAccount, Deposit, FreezeAccount, OpenAccount
from payments.domain.events import PaymentRequest, PaymentResult
from payments.messaging import MESSAGING
from payments.ports.accounts import Accounts, Decisions, Ledger, OpenedAccounts, Payments, Statements
from payments.ports.claims import Claims
from payments.settings import PaymentsSettings


class PaymentsProvider(Provider):
    scope = Scope.REQUEST

    def __init__(self, settings: PaymentsSettings, telemetry: Telemetry) -> None:
        super().__init__()
        self._telemetry = telemetry
        self._settings = settings
        self._urls = urls_of(lane_servers(settings))

    accounts = provide(PostgresAccounts, provides=Accounts)
    ledger = provide(PostgresLedger, provides=Ledger)
    payments = provide(PostgresPayments, provides=Payments)
    of_lane = provide_all(PostgresOpenedAccounts, PostgresStatements, PostgresDecisions, scope=LANE)
    use_cases = provide_all(ChargeOrders, CorrectAccounts, FreezeAccounts)
    for_callers = provide_all(AdmitOrders, ExplainPayment, ReadAccounts, ReadClaims, scope=Scope.APP)

    @provide(scope=Scope.APP)
    async def opened_accounts(self, lanes: Lanes) -> OpenedAccounts:
        return await lanes.over_all(PostgresOpenedAccounts, OpenedAccountsOfLanes)

    @provide(scope=Scope.APP)
    async def statements(self, lanes: Lanes) -> Statements:
        return await lanes.over_all(PostgresStatements, StatementsOfLanes)

    @provide(scope=Scope.APP)
    async def decisions(self, lanes: Lanes) -> Decisions:
        return await lanes.over_all(PostgresDecisions, DecisionsOfLanes)

    @provide(scope=Scope.APP)
    def claims(self) -> Claims:
        return over_all(list(map(PostgresClaims, self._urls)), ClaimsOfLanes)

    @provide(scope=Scope.APP)
    def own_checks(self) -> OwnChecks:
        return over_all([PostgresOwnChecks(url, CHECKS) for url in self._urls], OwnChecksOfLanes)

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

    @provide(scope=LANE)
    def group_of_openings(self, container: AsyncContainer, clock: Clock) -> GroupCommit[OpenAccount, Opened]:
        return GroupCommit(self._telemetry.batches("open_accounts", scoped(container, OpenAccounts)), clock)

    @provide(scope=LANE)
    def group_of_deposits(self, container: AsyncContainer, clock: Clock) -> GroupCommit[Deposit, Deposited]:
        return GroupCommit(self._telemetry.batches("make_deposits", scoped(container, MakeDeposits)), clock)

    @provide(scope=LANE)
    def freezes(self, container: AsyncContainer, clock: Clock) -> GroupCommit[FreezeAccount, Account]:
        return GroupCommit(scoped(container, FreezeAccounts), clock, batch_size_max=1)

    @provide(scope=LANE)
    def corrections(self, container: AsyncContainer, clock: Clock) -> GroupCommit[CorrectAccount, Deposited]:
        return GroupCommit(scoped(container, CorrectAccounts), clock, batch_size_max=1)

    @provide(scope=LANE)
    def consumer(self, container: AsyncContainer, clock: Clock) -> Consumer[PaymentRequest]:
        charge_orders = self._telemetry.batches("charge_orders", scoped(container, ChargeOrders), "consumer")
        decode = from_its_publisher(wire.decode, self._settings.shop_event_sources.split(","))
        return Consumer(decode, charge_orders, scoped(container, ParkMessage), clock, MESSAGING.subject)

"""Assembles the orders service. Every adapter is named here, once."""

from datetime import timedelta
from functools import partial

import aiohttp
from dishka import AsyncContainer, Provider, Scope, provide, provide_all

from kernel.adapters.lanes.own_checks import OwnChecksOfLanes
from kernel.adapters.postgres.messages.outbox import PostgresOutbox
from kernel.adapters.postgres.own_checks import PostgresOwnChecks
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.sources import from_its_publisher
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.group_commit import GroupCommit
from kernel.application.groups import Groups
from kernel.application.notifier import BackgroundNotifier
from kernel.lane_servers import lane_servers, urls_of
from kernel.ports.bus import Bus
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.outbox import Outbox
from kernel.ports.own_checks import OwnChecks
from kernel.wiring.background import RelayDispatcher
from kernel.wiring.identity import Identity
from kernel.wiring.lanes import LANE, Lanes, over_all
from kernel.wiring.use_cases import scoped
from orders import wire
from orders.adapters.inbound.placement_handler import PlacementHandler
from orders.adapters.outbound.audit import CHECKS
from orders.adapters.outbound.claims import PostgresOrderClaims
from orders.adapters.outbound.http_admission import HttpAdmission
from orders.adapters.outbound.http_claims import HttpPaymentClaims
from orders.adapters.outbound.lanes import MeasuredOrdersOfLanes, OrderClaimsOfLanes, ReadableOrdersOfLanes
from orders.adapters.outbound.postgres.audit_runs import PostgresAuditRuns
from orders.adapters.outbound.postgres.orders import PostgresHistory, PostgresOrders
from orders.adapters.outbound.postgres.placed_orders import PostgresPlacedOrders
from orders.adapters.outbound.postgres.series import PostgresMeasuredOrders, PostgresSeries
from orders.adapters.outbound.telemetry import ObservedHistory, OrderMetrics
from orders.application.ask_again import AskAgain
from orders.application.begin_audit import BeginAudits, StartRun
from orders.application.cancel_orders import CancelOrders
from orders.application.explain_order import ExplainOrder
from orders.application.place_orders import PlaceOrders
from orders.application.prune_figures import PruneFigures
from orders.application.read_audit import LatestAudit, ReadAudit
from orders.application.read_orders import ReadOrders
from orders.application.read_series import ComputeSeries, ReadSeries
from orders.application.run_audit import BegunAudits, RunAudit
from orders.application.settle_orders import SettleOrders
from orders.domain.audit_run import AuditRun, BeginAudit
from orders.domain.commands import CancelOrder, Placement
from orders.domain.events import PaymentRequest, PaymentResult
from orders.domain.order import Cancelled, OrderStatusChanged, Placed
from orders.messaging import MESSAGING
from orders.ports.admission import Admission
from orders.ports.audit import AuditRuns, OrderClaims, PaymentClaims
from orders.ports.listeners import NotifyListeners
from orders.ports.orders import History, Orders, ReadableOrders
from orders.ports.series import MeasuredOrders, Series
from orders.settings import OrdersSettings


class OrdersProvider(Provider):
    scope = Scope.REQUEST

    def __init__(
        self,
        settings: OrdersSettings,
        session: aiohttp.ClientSession,
        telemetry: Telemetry,
        identity: Identity,
    ) -> None:
        super().__init__()
        self._telemetry = telemetry
        self._metrics = OrderMetrics(telemetry.metrics.registry)
        self._settings = settings
        self._urls = urls_of(lane_servers(settings))
        self._session = session
        self._as_service = partial(identity.as_service, "payments")

    orders = provide(PostgresOrders, provides=Orders)
    of_lane = provide_all(PostgresPlacedOrders, PostgresMeasuredOrders, scope=LANE)
    series = provide(PostgresSeries, provides=Series)
    audit_runs = provide(PostgresAuditRuns, provides=AuditRuns)
    use_cases = provide_all(AskAgain, CancelOrders, ComputeSeries, PruneFigures, SettleOrders)
    audit = provide_all(BeginAudits, LatestAudit, RunAudit)
    for_callers = provide_all(ExplainOrder, ReadOrders, scope=Scope.APP)

    @provide(scope=Scope.APP)
    async def placement_handler(
        self, lanes: Lanes, groups: Groups[Placement, Placed], clock: Clock
    ) -> PlacementHandler:
        return PlacementHandler(groups, lambda user_id: lanes.finder.order_id(user_id, clock.new_id()))

    @provide(scope=Scope.APP)
    async def readable_orders(self, lanes: Lanes) -> ReadableOrders:
        return await lanes.over_all(PostgresPlacedOrders, ReadableOrdersOfLanes)

    @provide(scope=Scope.APP)
    async def measured_orders(self, lanes: Lanes) -> MeasuredOrders:
        return await lanes.over_all(PostgresMeasuredOrders, MeasuredOrdersOfLanes)

    @provide(scope=Scope.APP)
    def read_audit(self, lanes: Lanes, clock: Clock) -> ReadAudit:
        return ReadAudit(scoped(lanes.first, LatestAudit), clock)

    @provide(scope=Scope.APP)
    def order_claims(self) -> OrderClaims:
        return over_all(list(map(PostgresOrderClaims, self._urls)), OrderClaimsOfLanes)

    @provide(scope=Scope.APP)
    def own_checks(self) -> OwnChecks:
        return over_all([PostgresOwnChecks(url, CHECKS) for url in self._urls], OwnChecksOfLanes)

    @provide(scope=Scope.APP)
    def payment_claims(self) -> PaymentClaims:
        return HttpPaymentClaims(self._session, self._settings.payments_url, self._as_service)

    @provide(scope=Scope.APP)
    def begun_audits(self, lanes: Lanes) -> BegunAudits:
        return BegunAudits(scoped(lanes.first, RunAudit))

    @provide(scope=Scope.APP)
    def start_run(self, begun: BegunAudits) -> StartRun:
        return begun.start

    @provide(scope=Scope.APP)
    def audits(self, lanes: Lanes, clock: Clock) -> GroupCommit[BeginAudit, AuditRun]:
        return GroupCommit(scoped(lanes.first, BeginAudits), clock, batch_size_max=1)

    @provide
    def history(self, uow: PostgresUnitOfWork) -> History:
        return ObservedHistory(PostgresHistory(uow), uow.after_commit, self._metrics)

    @provide
    def outbox(
        self, uow: PostgresUnitOfWork, clock: Clock, dispatcher: RelayDispatcher
    ) -> Outbox[PaymentRequest]:
        return PostgresOutbox(uow, clock, wire.encode, dispatcher)

    @provide(scope=Scope.APP)
    def read_series(self, lanes: Lanes) -> ReadSeries:
        return ReadSeries(scoped(lanes.first, ComputeSeries))

    @provide(scope=Scope.APP)
    def notifier(self, bus: Bus, clock: Clock) -> BackgroundNotifier[OrderStatusChanged]:
        return BackgroundNotifier(wire.encode, bus, clock)

    @provide(scope=Scope.APP)
    def notify_listeners(self, notifier: BackgroundNotifier[OrderStatusChanged]) -> NotifyListeners:
        return notifier.notify

    @provide(scope=LANE)
    def admission(self, clock: Clock) -> Admission:
        """Each lane has its own circuit breaker, because payments may answer for only some lanes."""
        url = self._settings.payments_url
        return HttpAdmission(self._session, url, clock, self._as_service, self._metrics.unchecked)

    @provide
    def place_orders(
        self,
        uow: PostgresUnitOfWork,
        orders: Orders,
        history: History,
        placed: PostgresPlacedOrders,
        outbox: Outbox[PaymentRequest],
        record: OperatorRecord,
        admission: Admission,
        clock: Clock,
    ) -> PlaceOrders:
        currency, pay_within_s = self._settings.shop_currency, self._settings.shop_pay_within
        pay_within = None if pay_within_s is None else timedelta(seconds=pay_within_s)
        return PlaceOrders(
            uow, orders, history, placed, outbox, record, admission, clock, currency, pay_within
        )

    @provide(scope=LANE)
    def group_of_placements(self, container: AsyncContainer, clock: Clock) -> GroupCommit[Placement, Placed]:
        counted = self._metrics.placing(scoped(container, PlaceOrders))
        place_orders = self._telemetry.batches("place_orders", counted)
        return GroupCommit(place_orders, clock, repeat=partial(place_orders, checked=True))

    @provide(scope=LANE)
    def group_of_cancellations(
        self, container: AsyncContainer, clock: Clock
    ) -> GroupCommit[CancelOrder, Cancelled]:
        cancel_orders = self._telemetry.batches("cancel_orders", scoped(container, CancelOrders))
        return GroupCommit(cancel_orders, clock)

    @provide(scope=LANE)
    def consumer(self, container: AsyncContainer, clock: Clock) -> Consumer[PaymentResult]:
        settle_orders = self._telemetry.batches("settle_orders", scoped(container, SettleOrders), "consumer")
        decode = from_its_publisher(wire.decode, self._settings.shop_event_sources.split(","))
        return Consumer(decode, settle_orders, scoped(container, ParkMessage), clock, MESSAGING.subject)

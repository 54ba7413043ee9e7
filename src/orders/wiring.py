"""Every adapter of the orders service, named once."""

from functools import partial

import aiohttp
from dishka import AsyncContainer, Provider, Scope, make_async_container, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.messages.outbox import PostgresOutbox
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.sources import from_its_publisher
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.group_commit import GroupCommit
from kernel.application.notifier import BackgroundNotifier
from kernel.ports.bus import Bus
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.outbox import Outbox
from kernel.wiring.background import RelayDispatcher
from kernel.wiring.identity import Identity
from kernel.wiring.providers import KernelProvider
from kernel.wiring.use_cases import scoped
from orders import wire
from orders.adapters.inbound.placement_handler import PlacementHandler
from orders.adapters.outbound.http_admission import HttpAdmission
from orders.adapters.outbound.postgres.orders import PostgresHistory, PostgresOrders
from orders.adapters.outbound.postgres.placed_orders import PostgresPlacedOrders
from orders.adapters.outbound.telemetry import ObservedHistory, OrderMetrics
from orders.application.ask_again import AskAgain
from orders.application.cancel_orders import CancelOrders
from orders.application.place_orders import PlaceOrders
from orders.application.read_orders import ReadOrders
from orders.application.settle_orders import SettleOrders
from orders.domain.commands import CancelOrder, Placement
from orders.domain.events import PaymentRequest, PaymentResult
from orders.domain.order import Cancelled, OrderStatusChanged, Placed
from orders.messaging import MESSAGING
from orders.ports.admission import Admission
from orders.ports.listeners import NotifyListeners
from orders.ports.orders import History, Orders, PlacedOrders
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
        self._session = session
        self._identity = identity

    orders = provide(PostgresOrders, provides=Orders)
    placed = provide(PostgresPlacedOrders, provides=PlacedOrders, scope=Scope.APP)
    cancel_orders = provide(CancelOrders)
    settle_orders = provide(SettleOrders)
    read_orders = provide(ReadOrders, scope=Scope.APP)
    ask_again = provide(AskAgain)

    @provide
    def history(self, uow: PostgresUnitOfWork) -> History:
        return ObservedHistory(PostgresHistory(uow), uow.after_commit, self._metrics)

    @provide
    def outbox(
        self, uow: PostgresUnitOfWork, clock: Clock, dispatcher: RelayDispatcher
    ) -> Outbox[PaymentRequest]:
        return PostgresOutbox(uow, clock, wire.encode, dispatcher)

    @provide(scope=Scope.APP)
    def notifier(self, bus: Bus, clock: Clock) -> BackgroundNotifier[OrderStatusChanged]:
        return BackgroundNotifier(wire.encode, bus, clock)

    @provide(scope=Scope.APP)
    def notify_listeners(self, notifier: BackgroundNotifier[OrderStatusChanged]) -> NotifyListeners:
        return notifier.notify

    @provide(scope=Scope.APP)
    def admission(self, clock: Clock) -> Admission:
        url = self._settings.payments_url
        as_service = partial(self._identity.as_service, "payments")
        return HttpAdmission(self._session, url, clock, as_service, self._metrics.unchecked)

    @provide
    def place_orders(
        self,
        uow: PostgresUnitOfWork,
        orders: Orders,
        history: History,
        placed: PlacedOrders,
        outbox: Outbox[PaymentRequest],
        record: OperatorRecord,
        admission: Admission,
        clock: Clock,
    ) -> PlaceOrders:
        currency = self._settings.shop_currency
        return PlaceOrders(uow, orders, history, placed, outbox, record, admission, clock, currency)

    @provide(scope=Scope.APP)
    def group_of_placements(self, container: AsyncContainer, clock: Clock) -> GroupCommit[Placement, Placed]:
        counted = self._metrics.placing(scoped(container, PlaceOrders))
        place_orders = self._telemetry.batches("place_orders", counted)
        return GroupCommit(place_orders, clock, repeat=partial(place_orders, checked=True))

    handler = provide(PlacementHandler, scope=Scope.APP)

    @provide(scope=Scope.APP)
    def group_of_cancellations(
        self, container: AsyncContainer, clock: Clock
    ) -> GroupCommit[CancelOrder, Cancelled]:
        cancel_orders = self._telemetry.batches("cancel_orders", scoped(container, CancelOrders))
        return GroupCommit(cancel_orders, clock)

    @provide(scope=Scope.APP)
    def consumer(self, container: AsyncContainer, clock: Clock) -> Consumer[PaymentResult]:
        settle_orders = self._telemetry.batches("settle_orders", scoped(container, SettleOrders), "consumer")
        decode = from_its_publisher(wire.decode, self._settings.shop_event_sources.split(","))
        return Consumer(decode, settle_orders, scoped(container, ParkMessage), clock, MESSAGING.subject)


def assemble(
    settings: OrdersSettings,
    engine: AsyncEngine,
    bus: Bus,
    session: aiohttp.ClientSession,
    telemetry: Telemetry,
    identity: Identity,
) -> AsyncContainer:
    return make_async_container(
        KernelProvider(engine, bus, telemetry), OrdersProvider(settings, session, telemetry, identity)
    )

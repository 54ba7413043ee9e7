"""Every adapter of the orders service, named once."""

from functools import partial

import aiohttp
from dishka import AsyncContainer, Provider, Scope, make_async_container, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.outbox import PostgresOutbox
from kernel.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.group_commit import GroupCommit
from kernel.application.tell import Teller
from kernel.ports.bus import Bus
from kernel.ports.clock import Clock
from kernel.ports.outbox import Outbox
from kernel.settings import Settings
from kernel.wiring import KernelProvider, Outgoing, in_scope
from orders import wire
from orders.adapters.inbound.placing import Placing
from orders.adapters.outbound.http_admission import HttpAdmission
from orders.adapters.outbound.postgres import PostgresHistory, PostgresOrders, PostgresPlacedOrders
from orders.adapters.outbound.telemetry import ObservedAdmission, ObservedHistory, OrderMetrics
from orders.application.ask_again import AskAgain
from orders.application.cancel_orders import CancelOrders
from orders.application.place_orders import PlaceOrders
from orders.application.settle_orders import SettleOrders
from orders.domain.events import PaymentDecided, Question
from orders.domain.order import Cancelled, CancelOrder, OrderStatusChanged, Placed, PlaceOrder
from orders.ports.admission import Admission
from orders.ports.listeners import TellListeners
from orders.ports.orders import History, Orders, PlacedOrders


class OrdersProvider(Provider):
    scope = Scope.REQUEST

    def __init__(self, settings: Settings, session: aiohttp.ClientSession, telemetry: Telemetry) -> None:
        super().__init__()
        self._telemetry = telemetry
        self._metrics = OrderMetrics(telemetry.metrics.registry)
        self._settings = settings
        self._session = session

    orders = provide(PostgresOrders, provides=Orders)
    placed = provide(PostgresPlacedOrders, provides=PlacedOrders, scope=Scope.APP)
    cancel_orders = provide(CancelOrders)
    settle_orders = provide(SettleOrders)
    ask_again = provide(AskAgain)

    @provide
    def history(self, uow: PostgresUnitOfWork) -> History:
        return ObservedHistory(PostgresHistory(uow), uow.after_commit, self._metrics)

    @provide
    def outbox(self, uow: PostgresUnitOfWork, clock: Clock, outgoing: Outgoing) -> Outbox[Question]:
        return PostgresOutbox(uow, clock, wire.encode, outgoing)

    @provide(scope=Scope.APP)
    def teller(self, bus: Bus, clock: Clock) -> Teller[OrderStatusChanged]:
        return Teller(wire.encode, bus, clock)

    @provide(scope=Scope.APP)
    def tell_listeners(self, teller: Teller[OrderStatusChanged]) -> TellListeners:
        return teller.tell

    @provide(scope=Scope.APP)
    def admission(self, clock: Clock) -> Admission:
        url = self._settings.payments_url
        admission = HttpAdmission(self._session, url, clock, self._metrics.unjudged)
        return ObservedAdmission(admission, self._metrics)

    @provide
    def place_orders(
        self,
        uow: PostgresUnitOfWork,
        orders: Orders,
        history: History,
        placed: PlacedOrders,
        outbox: Outbox[Question],
        admission: Admission,
        clock: Clock,
    ) -> PlaceOrders:
        currency = self._settings.shop_currency
        return PlaceOrders(uow, orders, history, placed, outbox, admission, clock, currency)

    @provide(scope=Scope.APP)
    def group_of_placements(self, container: AsyncContainer, clock: Clock) -> GroupCommit[PlaceOrder, Placed]:
        place_orders = self._telemetry.batches("place_orders", in_scope(container, PlaceOrders))
        return GroupCommit(place_orders, clock, repeat=partial(place_orders, judged=True))

    placing = provide(Placing, scope=Scope.APP)

    @provide(scope=Scope.APP)
    def group_of_cancellations(
        self, container: AsyncContainer, clock: Clock
    ) -> GroupCommit[CancelOrder, Cancelled]:
        cancel_orders = self._telemetry.batches("cancel_orders", in_scope(container, CancelOrders))
        return GroupCommit(cancel_orders, clock)

    @provide(scope=Scope.APP)
    def consumer(self, container: AsyncContainer, clock: Clock) -> Consumer[PaymentDecided]:
        settle_orders = self._telemetry.batches(
            "settle_orders", in_scope(container, SettleOrders), "consumer"
        )
        return Consumer(wire.decode, settle_orders, in_scope(container, ParkMessage), clock)


def assemble(
    settings: Settings,
    engine: AsyncEngine,
    bus: Bus,
    session: aiohttp.ClientSession,
    telemetry: Telemetry,
) -> AsyncContainer:
    return make_async_container(
        KernelProvider(engine, bus, telemetry), OrdersProvider(settings, session, telemetry)
    )

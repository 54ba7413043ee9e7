"""Every adapter of the gateway, named once."""

from functools import partial

import aiohttp
from dishka import AsyncContainer, Provider, Scope, make_async_container, provide

from gateway.adapters.inbound.notifications import StatusChanges
from gateway.adapters.inbound.orders import PlaceOrderHandler
from gateway.adapters.outbound.http_accounts import HttpAccounts
from gateway.adapters.outbound.http_orders import HttpOrders
from gateway.application.cancel_orders import CancelOrders
from gateway.application.change_accounts import ChangeAccounts
from gateway.application.hub import STREAMS_PER_ADDRESS_MAX, Hub
from gateway.application.place_and_wait import PlaceAndWait
from gateway.application.place_orders import PlaceOrders
from gateway.ports.accounts import AccountsService
from gateway.ports.orders import OrdersService
from gateway.settings import GatewaySettings
from kernel.adapters.system_clock import SystemClock
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.ports.bus import Notifications
from kernel.ports.clock import Clock
from kernel.wiring.identity import Identity


class GatewayProvider(Provider):
    scope = Scope.APP

    def __init__(
        self,
        settings: GatewaySettings,
        notifications: Notifications,
        session: aiohttp.ClientSession,
        telemetry: Telemetry,
        identity: Identity,
    ) -> None:
        super().__init__()
        self._telemetry = telemetry
        self._settings = settings
        self._notifications = notifications
        self._session = session
        self._identity = identity

    clock = provide(SystemClock, provides=Clock)
    change_accounts = provide(ChangeAccounts)
    cancel_orders = provide(CancelOrders)
    place_and_wait = provide(PlaceAndWait)
    place_order_handler = provide(PlaceOrderHandler)
    status_changes = provide(StatusChanges)

    @provide
    def place_orders(self, orders: OrdersService, clock: Clock) -> PlaceOrders:
        return PlaceOrders(self._telemetry.batches("send_orders", orders.place, "client"), clock)

    @provide
    def orders(self) -> OrdersService:
        as_service = partial(self._identity.as_service, "orders")
        return HttpOrders(self._session, self._settings.orders_url, as_service)

    @provide
    def notifications(self) -> Notifications:
        return self._notifications

    @provide
    def hub(self, orders: OrdersService, notifications: Notifications, clock: Clock) -> Hub:
        # Callers are not authenticated yet, so no address may have more than half of all streams.
        per_address = min(
            self._settings.shop_streams_per_address or STREAMS_PER_ADDRESS_MAX, STREAMS_PER_ADDRESS_MAX
        )
        return Hub(orders, notifications, clock, streams_per_address_max=per_address)

    @provide
    def accounts(self) -> AccountsService:
        return HttpAccounts(self._session, self._settings.payments_url)


def assemble(
    settings: GatewaySettings,
    notifications: Notifications,
    session: aiohttp.ClientSession,
    telemetry: Telemetry,
    identity: Identity,
) -> AsyncContainer:
    return make_async_container(GatewayProvider(settings, notifications, session, telemetry, identity))

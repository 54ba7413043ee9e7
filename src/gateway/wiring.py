"""Assembles the gateway. Every adapter is named here, once."""

from collections.abc import Mapping, Sequence
from functools import partial

import aiohttp
from dishka import AnyOf, AsyncContainer, Provider, Scope, make_async_container, provide, provide_all

from gateway.adapters.inbound.cookie_sessions import CookieSessions
from gateway.adapters.inbound.notifications import StatusChanges
from gateway.adapters.inbound.orders import PlaceOrderHandler
from gateway.adapters.inbound.session import Mode
from gateway.adapters.inbound.sign_in_cookie import SignInCookie
from gateway.adapters.outbound.http_accounts import HttpAccounts
from gateway.adapters.outbound.http_operators import HttpOperatedOrders, HttpOperatedService
from gateway.adapters.outbound.http_orders import HttpOrders
from gateway.adapters.outbound.no_provider import NoProvider, NoTokens
from gateway.adapters.outbound.openid_endpoints import Client, Endpoints
from gateway.application.act_at_service import ActAtService
from gateway.application.audits import Audits
from gateway.application.cancel_orders import CancelOrders
from gateway.application.change_accounts import ChangeAccounts
from gateway.application.explain_order import ExplainOrder
from gateway.application.finish_sign_in import FinishSignIn
from gateway.application.hub import STREAMS_PER_ADDRESS_MAX, Hub
from gateway.application.join_parked import JoinParked
from gateway.application.place_and_wait import PlaceAndWait
from gateway.application.place_orders import PlaceOrders
from gateway.application.read_consumers import ReadConsumers
from gateway.application.read_overview import ReadOverview
from gateway.application.read_record import ReadRecord
from gateway.application.renew_session import RenewSession
from gateway.ports.accounts import AccountsService
from gateway.ports.operators import FactsOfOrders, OperatedOrders, OperatedServices
from gateway.ports.orders import OrdersService
from gateway.ports.provider import Provider as SignInProvider
from gateway.settings import GatewaySettings
from kernel.adapters.lanes.lane import LaneFinder
from kernel.adapters.system_clock import SystemClock
from kernel.adapters.telemetry.telemetry import Telemetry
from kernel.ports.bus import Notifications
from kernel.ports.clock import Clock
from kernel.ports.tokens import Tokens
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
        operated: Mapping[str, str],
    ) -> None:
        """`operated` maps the names of further services for operators to their URLs."""
        super().__init__()
        self._telemetry = telemetry
        self._settings = settings
        self._notifications = notifications
        self._session = session
        self._identity = identity
        self._operated = {"payments": settings.payments_url, **operated}

    clock = provide(SystemClock, provides=Clock)
    for_clients = provide_all(CancelOrders, ChangeAccounts, PlaceAndWait, PlaceOrderHandler, StatusChanges)
    for_sessions = provide_all(FinishSignIn, RenewSession)
    for_operators = provide_all(
        ActAtService, Audits, ExplainOrder, JoinParked, ReadConsumers, ReadOverview, ReadRecord
    )

    @provide
    def place_orders(self, orders: OrdersService, clock: Clock) -> PlaceOrders:
        finder = LaneFinder(self._settings.shop_lanes)
        lane_of = (lambda order: finder.of_user(order.user_id)) if self._settings.shop_lanes > 1 else None
        return PlaceOrders(self._telemetry.batches("send_orders", orders.place, "client"), clock, lane_of)

    @provide
    def orders(self, clock: Clock) -> OrdersService:
        as_service = partial(self._identity.as_service, "orders")
        return HttpOrders(self._session, self._settings.orders_url, clock, as_service)

    @provide
    def notifications(self) -> Notifications:
        return self._notifications

    @provide
    def hub(self, orders: OrdersService, notifications: Notifications, clock: Clock) -> Hub:
        per_address = self._settings.streams_per_address or STREAMS_PER_ADDRESS_MAX
        if self._settings.shop_auth == "open":
            # Callers are anonymous, so no address may have more than half of all streams.
            per_address = min(per_address, STREAMS_PER_ADDRESS_MAX)
        return Hub(
            orders,
            notifications,
            clock,
            streams_per_address_max=per_address,
            streams_per_user_max=self._settings.streams_per_user,
        )

    @provide
    def mode(self) -> Mode:
        return Mode(self._settings.shop_auth)

    @provide
    def tokens(self) -> Tokens:
        return self._identity.tokens or NoTokens()

    @provide
    def cookie_sessions(self, renew: RenewSession) -> CookieSessions:
        return CookieSessions(self._session_keys, renew)

    @provide
    def sign_in_cookie(self) -> SignInCookie:
        return SignInCookie(self._session_keys)

    @property
    def _session_keys(self) -> Sequence[str]:
        key = self._settings.shop_session_key
        return key.split(",") if key and self._identity.tokens else []

    @provide
    def provider(self, clock: Clock) -> SignInProvider:
        settings, keys = self._settings, self._identity.keys
        if settings.shop_oidc_client_id is None or settings.shop_jwt_issuer is None or keys is None:
            return NoProvider()
        # Imported late: open mode need not load this large library.
        from gateway.adapters.outbound.openid import OpenIdProvider

        client = Client(
            settings.shop_oidc_client_id, settings.shop_oidc_client_secret, settings.shop_oidc_scope
        )
        endpoints = Endpoints(self._session, settings.shop_jwt_issuer, client, clock)
        return OpenIdProvider(endpoints, keys, settings.shop_jwt_issuer, client, clock)

    @provide
    def operated_orders(self) -> AnyOf[HttpOperatedOrders, OperatedOrders]:
        as_service = partial(self._identity.as_service, "orders")
        return HttpOperatedOrders(self._session, self._settings.orders_url, "orders", as_service)

    @provide
    def operated_services(
        self, orders: HttpOperatedOrders
    ) -> AnyOf[OperatedServices, Mapping[str, FactsOfOrders]]:
        others = {
            name: HttpOperatedService(self._session, url, name, partial(self._identity.as_service, name))
            for name, url in self._operated.items()
        }
        return {"orders": orders, **others}

    @provide
    def accounts(self) -> AccountsService:
        return HttpAccounts(self._session, self._settings.payments_url)


def assemble(provider: GatewayProvider) -> AsyncContainer:
    return make_async_container(provider)

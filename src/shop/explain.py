"""`shop explain`: why an order is where it is, by what the databases hold."""

import getpass
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from gateway.adapters.inbound.ops.explain import ExplainedOrder, explained_body
from gateway.application.explain_order import ExplainOrder
from gateway.ports.operators import FactsOfOrders
from kernel.adapters.postgres.checks.schema import SchemaMismatch
from kernel.adapters.postgres.messages.facts import PostgresMessagingFacts
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Unavailable
from kernel.domain.facts import Part
from kernel.settings import required
from kernel.wiring.database import database
from orders.adapters.outbound.postgres.placed_orders import PostgresPlacedOrders
from orders.application import explain_order as in_orders
from payments.adapters.outbound.postgres import PostgresDecisions, PostgresOpenedAccounts
from payments.application import explain_payment as in_payments
from shop.console import shown
from shop.services import Shop


class Orders:
    def __init__(self, engine: Any) -> None:
        messaging = PostgresMessagingFacts(engine, in_orders.SERVICE, running=False)
        self._explain = in_orders.ExplainOrder(PostgresPlacedOrders(engine), messaging)

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        return await self._explain(caller, order_id)


class Payments:
    def __init__(self, engine: Any) -> None:
        messaging = PostgresMessagingFacts(engine, in_payments.SERVICE, running=False)
        decisions, accounts = PostgresDecisions(engine), PostgresOpenedAccounts(engine)
        self._explain = in_payments.ExplainPayment(decisions, accounts, messaging)

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        return await self._explain(caller, order_id, user_id=user_id)


class Away:
    """A database that cannot be read."""

    def __init__(self, error: Unavailable) -> None:
        self._error = error

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        raise self._error


async def explain(shop: Shop, order_id: UUID) -> ExplainedOrder:
    """Raises NotFound, and Unavailable where no database can be read."""
    operator = Caller(Role.OPERATOR, getpass.getuser(), "console")
    async with _services(shop) as services:
        return explained_body(order_id, await ExplainOrder(services)(operator, order_id))


@asynccontextmanager
async def _services(shop: Shop) -> AsyncIterator[Mapping[str, FactsOfOrders]]:
    async with AsyncExitStack() as opened:
        services: dict[str, FactsOfOrders] = {}
        for name, kind in ((in_orders.SERVICE, Orders), (in_payments.SERVICE, Payments)):
            url, schema = required(shop.settings[name], "database_url"), shop.services[name].load_schema()
            try:
                services[name] = kind(await opened.enter_async_context(database(url, schema)))
            except Unavailable as error:
                services[name] = Away(error)
            except SchemaMismatch as error:
                services[name] = Away(Unavailable(str(error)))
        yield services


def show(found: ExplainedOrder, console: Console) -> None:
    owner = f" of {shown(found.user_id)}" if found.user_id else ""
    console.print(f"[bold]Order {found.id}{owner}: {found.status or 'status unknown'}[/]")
    table = Table(box=None, pad_edge=False)
    for title in ("at (UTC)", "gap", "service", "fact", "stored in"):
        table.add_column(title, no_wrap=True)
    table.add_column("", overflow="fold")
    before: datetime | None = None
    for fact in found.facts:
        gap = "" if before is None else f"+{(fact.at - before).total_seconds():.3f} s"
        before = fact.at
        at, detail = f"{fact.at:%Y-%m-%d %H:%M:%S.%f}"[:-3], shown(fact.detail)
        table.add_row(at, gap, fact.service, fact.what.replace("_", " "), fact.source, detail)
    console.print(table)
    for service in found.unknown:
        console.print(f"[yellow]The part of {service} is unknown: its database cannot be read.")
    for wait in found.waits:
        since = f", since {wait.since:%H:%M:%S}" if wait.since else ""
        until = f"; orders asks again at {wait.until:%H:%M:%S}" if wait.until else ""
        console.print(f"[bold]Waits:[/] {shown(wait.detail)}{since}{until}", soft_wrap=True)
    if not found.waits and not found.unknown:
        console.print("[green]It waits for nothing.")

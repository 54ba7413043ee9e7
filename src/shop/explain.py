"""`shop explain`: explains the state of an order from what the databases hold."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

from rich.console import Console

from gateway.adapters.inbound.ops.explain import ExplainedOrder, explained_body
from gateway.application.explain_order import ExplainOrder
from gateway.ports.operators import FactsOfOrders
from kernel.adapters.lanes.lane import LaneFinder
from kernel.adapters.postgres.checks.schema import SchemaMismatch
from kernel.adapters.postgres.connections.hosts import session_name
from kernel.adapters.postgres.messages.facts import PostgresMessagingFacts
from kernel.adapters.system_clock import SystemClock
from kernel.contracts.operators import StoredFact
from kernel.domain.caller import Caller
from kernel.domain.errors import Unavailable
from kernel.domain.facts import Part
from kernel.lane_servers import lane_servers
from kernel.ports.facts import MessagingFacts
from kernel.wiring.database import one_lane
from orders.adapters.outbound.postgres.placed_orders import PostgresPlacedOrders
from orders.application import explain_order as in_orders
from payments.adapters.outbound.postgres import PostgresDecisions, PostgresOpenedAccounts
from payments.application import explain_payment as in_payments
from shop.console import shown
from shop.operators import operator
from shop.services import Shop


class Orders:
    def __init__(self, engine: Any, messaging: MessagingFacts) -> None:
        self._explain = in_orders.ExplainOrder(PostgresPlacedOrders(engine), messaging)

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        return await self._explain(caller, order_id)


class Payments:
    def __init__(self, engine: Any, messaging: MessagingFacts) -> None:
        decisions, accounts = PostgresDecisions(engine), PostgresOpenedAccounts(engine)
        self._explain = in_payments.ExplainPayment(decisions, accounts, messaging)

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        return await self._explain(caller, order_id, user_id=user_id)


class Away:
    """Stands for a database that cannot be reached: reading from it raises the error."""

    def __init__(self, error: Unavailable) -> None:
        self._error = error

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        raise self._error


async def explain(shop: Shop, order_id: UUID) -> ExplainedOrder:
    """Explains an order. Raises NotFound if it is unknown, and Unavailable if no database can be read."""
    async with _services(shop, order_id) as services:
        return explained_body(order_id, await ExplainOrder(services, SystemClock())(operator(), order_id))


@asynccontextmanager
async def _services(shop: Shop, order_id: UUID) -> AsyncIterator[Mapping[str, FactsOfOrders]]:
    """Connects only to the order's lane, and to the first lane, which stores the pauses of consumers."""
    async with AsyncExitStack() as opened:
        services: dict[str, FactsOfOrders] = {}
        for name, kind in ((in_orders.SERVICE, Orders), (in_payments.SERVICE, Payments)):
            servers, schema = lane_servers(shop.settings[name]), shop.services[name].load_schema()
            lane = LaneFinder(sum(len(server.lanes) for server in servers)).of_order(order_id)
            try:
                found = await opened.enter_async_context(one_lane(servers, schema, lane))
                engine, server = found
                first, _ = await opened.enter_async_context(one_lane(servers, schema)) if lane else found
                facts = PostgresMessagingFacts(engine, schema, session_name(server.url), first=first)
                services[name] = kind(engine, facts)
            except (Unavailable, SchemaMismatch) as error:
                services[name] = Away(Unavailable(str(error)))
        yield services


def show(found: ExplainedOrder, console: Console) -> None:
    owner = f" of {shown(found.user_id)}" if found.user_id else ""
    console.print(f"[bold]Order {found.id}{owner}: {found.status or 'status unknown'}[/]")
    if found.trace_id:
        console.print(f"trace {found.trace_id}", highlight=False)
    for line in _lines(found.facts):
        console.print(line, highlight=False)
    for service in found.unknown:
        cause = shown(found.causes[service])
        console.print(f"[yellow]Not all facts of {service} could be read: {cause}")
    for wait in found.waits:
        since = f", since {wait.since:%H:%M:%S}" if wait.since else ""
        until = f"; orders asks again at {wait.until:%H:%M:%S}" if wait.until else ""
        console.print(f"[bold]Waits:[/] {shown(wait.detail)}{since}{until}")
    if not found.waits and not found.unknown:
        console.print("[green]It waits for nothing.")


def _lines(facts: Sequence[StoredFact]) -> Iterator[str]:
    """Formats the facts as a text table. Each column except the last is as wide as its widest cell."""
    rows = [("at (UTC)", "gap", "service", "fact", "stored in")]
    for before, fact in zip([None, *facts], facts, strict=False):
        at = f"{fact.at:%Y-%m-%d %H:%M:%S.%f}"[:-3]
        gap = f"+{(fact.at - before.at).total_seconds():.3f} s" if before else ""
        rows.append((at, gap, fact.service, fact.what.replace("_", " "), fact.source))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    yield f"[bold]{head.rstrip()}[/]"
    for line, fact in zip(lines, facts, strict=True):
        yield f"{line}  {shown(fact.detail)}".rstrip()

"""One trace leads from a client's call through every hop of its order, in a batch too."""

import asyncio
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kernel.adapters.telemetry import tracing
from orders.contract.messages import ORDER_CANCELLATION_REQUESTED, ORDER_PLACED
from payments.contract.messages import PAYMENT_CAPTURED, PAYMENT_REFUNDED
from shop.services import load_shop
from shop.serving import open_shop, url_of
from tests.architecture.test_telemetry_md import SPANS
from tests.servers.postgres import create_database
from tests.servers.process import eventually
from tests.servers.shop import free_port
from tests.spec.scenario import new_user, together

TOGETHER = 20

# Each under the one before it.
WAY = [
    ("gateway", "POST /orders"),
    ("gateway", "send_orders"),
    ("orders", "place_orders"),
    ("payments", "charge_orders"),
    ("orders", "settle_orders"),
]
BESIDE = {("orders", f"publish {ORDER_PLACED}"), ("payments", f"publish {PAYMENT_CAPTURED}")}
# Hops of a whole batch, so in the trace of an order only where it travels alone.
ALONE = {("orders", "POST /api/Order/batch"), ("payments", "POST /api/Admission")}


class Kept(InMemorySpanExporter):
    """The exporter of several services; the first that ends must not close it."""

    def shutdown(self) -> None:
        pass


@dataclass(frozen=True)
class Client:
    """A client with a trace of its own, which it began by a span that we do not see."""

    trace_id: int
    span_id: int

    @classmethod
    def new(cls) -> "Client":
        return cls(secrets.randbits(127) + 1, secrets.randbits(63) + 1)

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-01"


@dataclass(frozen=True)
class Run:
    """The calls of clients in a shop, and all their spans."""

    alone: Client
    together: list[Client]
    regretful: Client
    orders: dict[Client, str]
    spans: list[ReadableSpan]

    def trace_of(self, client: Client) -> dict[tuple[str, str], ReadableSpan]:
        """Its hops, without their statements."""
        trace = [span for span in self.spans if context(span).trace_id == client.trace_id]
        return {hop(span): span for span in trace if not is_statement(span)}


def context(span: ReadableSpan) -> Any:
    assert span.context is not None
    return span.context


def hop(span: ReadableSpan) -> tuple[str, str]:
    return str(span.resource.attributes["service.name"]).removeprefix("shop-"), span.name


def is_statement(span: ReadableSpan) -> bool:
    return "db.system.name" in (span.attributes or {})


def parent_id(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


def linked(span: ReadableSpan) -> set[int]:
    return {link.context.span_id for link in span.links}


@pytest.fixture(scope="module")
def exporter() -> Iterator[Kept]:
    with pytest.MonkeyPatch.context() as patch:
        kept = Kept()
        patch.setattr(tracing, "otlp_exporter", lambda _: kept)
        yield kept


@pytest.fixture(scope="module")
async def run(postgres_server: str, exporter: Kept) -> Run:
    """The whole shop within this process, on a server of the tests."""
    shop = load_shop(
        {
            "ORDERS_DATABASE_URL": await create_database(postgres_server, "traced_orders"),
            "PAYMENTS_DATABASE_URL": await create_database(postgres_server, "traced_payments"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        }
        | {f"{name}_PORT": str(free_port()) for name in ("GATEWAY", "ORDERS", "PAYMENTS")}
    )
    alone, others, regretful = Client.new(), [Client.new() for _ in range(TOGETHER)], Client.new()
    gateway = url_of(shop, "gateway")
    async with open_shop(shop, asyncio.Event()), aiohttp.ClientSession(gateway) as session:
        visitor = Visitor(session)
        await visitor.open_account()
        orders = {alone: await visitor.order(alone)}
        orders |= dict(zip(others, await together(*map(visitor.order, others)), strict=True))
        await visitor.cancel(regretful, orders[alone])
    return Run(alone, others, regretful, orders, list(exporter.get_finished_spans()))


class Visitor:
    """Orders for clients, on the account of one user, and waits for what becomes of it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._user = new_user()

    async def open_account(self) -> None:
        await self._session.post("/accounts", json={"userId": self._user})
        await self._session.post(f"/accounts/{self._user}/deposit", json={"amount": 1000})

    async def order(self, client: Client) -> str:
        """The id of the order, which is paid."""
        wish, headers = {"userId": self._user, "amount": 1}, {"traceparent": client.traceparent}
        placed = await (await self._session.post("/orders", json=wish, headers=headers)).json()
        await self._becomes("FINISHED", placed["id"])
        return str(placed["id"])

    async def cancel(self, client: Client, order_id: str) -> None:
        headers = {"traceparent": client.traceparent}
        await self._session.post(f"/orders/{order_id}/cancel", headers=headers)
        await self._becomes("REFUNDED", order_id)

    async def _becomes(self, status: str, order_id: str) -> None:
        async def has_become() -> bool:
            order = await (await self._session.get(f"/orders/{order_id}")).json()
            return bool(order["status"] == status)

        await eventually(has_become)


def test_an_order_alone_has_every_hop_in_the_clients_trace(run: Run) -> None:
    trace = run.trace_of(run.alone)
    assert trace.keys() == {*WAY, *BESIDE, *ALONE}
    assert not any(span.links for span in trace.values())


def test_orders_that_travel_together_have_every_hop_in_their_own_traces(run: Run) -> None:
    for client in run.together:
        assert run.trace_of(client).keys() - ALONE == {*WAY, *BESIDE}


def test_every_hop_follows_the_one_before_it_and_the_first_one_the_client(run: Run) -> None:
    by_id = {context(span).span_id: span for span in run.spans}
    for client in (run.alone, *run.together):
        trace = run.trace_of(client)
        for before, after in pairwise(WAY):
            ancestors, parent = set(), parent_id(trace[after])
            while parent in by_id:
                ancestors.add(hop(by_id[parent]))
                parent = parent_id(by_id[parent])
            assert before in ancestors
            assert parent == client.span_id


def test_a_batch_and_its_orders_are_linked_both_ways(run: Run) -> None:
    batches = [span for span in run.spans if "shop.batch.items" in (span.attributes or {})]
    assert {hop(batch) for batch in batches} & {*WAY}, "no two orders ever travelled together"
    for batch in batches:
        items = [span for span in run.spans if context(batch).span_id in linked(span)]
        assert {hop(item) for item in items} == {hop(batch)}
        assert {parent_id(item) for item in items} == linked(batch)
        assert batch.parent is None


def test_a_cancellation_has_every_hop_in_its_callers_trace(run: Run) -> None:
    assert run.trace_of(run.regretful).keys() == {
        ("gateway", "POST /orders/{id}/cancel"),
        ("orders", "POST /api/Order/{id}/cancel"),
        ("orders", "cancel_orders"),
        ("orders", f"publish {ORDER_CANCELLATION_REQUESTED}"),
        ("payments", "charge_orders"),
        ("payments", f"publish {PAYMENT_REFUNDED}"),
        ("orders", "settle_orders"),
    }


def test_spans_name_their_orders(run: Run) -> None:
    for client, order_id in run.orders.items():
        trace = run.trace_of(client)
        for step in WAY[2:]:
            assert trace[step].attributes["shop.order.id"] == order_id  # type: ignore[index]


def test_statements_stand_under_the_work_that_they_are_done_for(run: Run) -> None:
    trace = run.trace_of(run.alone)
    for step in (("orders", "place_orders"), ("payments", "charge_orders"), ("orders", "settle_orders")):
        statements = [
            span
            for span in run.spans
            if is_statement(span) and span.parent and parent_id(span) == context(trace[step]).span_id
        ]
        assert statements, step
        for span in statements:
            assert span.attributes is not None
            assert span.attributes["db.system.name"] == "postgresql"
            assert span.attributes["db.operation.name"] == span.name
            assert span.name.isupper()
            assert hop(span)[0] == step[0]


def test_messages_are_told_by_the_semantic_conventions(run: Run) -> None:
    trace = run.trace_of(run.alone)
    for step, operation, kind, destination in (
        (("orders", f"publish {ORDER_PLACED}"), "publish", "send", ORDER_PLACED),
        (("payments", "charge_orders"), "process", "process", ORDER_PLACED),
        (("orders", "settle_orders"), "process", "process", PAYMENT_CAPTURED),
    ):
        told = trace[step].attributes or {}
        assert told["messaging.system"] == "in_process"
        assert told["messaging.operation.name"] == operation
        assert told["messaging.operation.type"] == kind
        assert told["messaging.destination.name"] == destination


def test_docs_telemetry_md_lists_every_span(run: Run) -> None:
    def as_listed(span: ReadableSpan) -> tuple[str, str, str]:
        service, name = hop(span)
        name = "{statement}" if is_statement(span) else name
        name = re.sub(r"^[A-Z]+ /.*", "{method} {route}", re.sub(r"^publish .*", "publish {type}", name))
        return service, name, span.kind.name.lower()

    assert {as_listed(span) for span in run.spans} == SPANS

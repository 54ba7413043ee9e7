"""Spans leave by OTLP over HTTP, as a collector expects them."""

import asyncio
import socket
import threading

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from kernel.wiring import telemetry
from tests.servers.process import eventually
from tests.unit.gateway.conftest import a_gateway
from tests.unit.gateway.stub import Stub


async def test_spans_reach_a_collector_before_the_process_ends() -> None:
    exported: list[str] = []

    async def collect(request: web.Request) -> web.Response:
        export = ExportTraceServiceRequest.FromString(await request.read())
        exported.extend(s.name for r in export.resource_spans for scope in r.scope_spans for s in scope.spans)
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    async with TestServer(app) as collector:
        url = str(collector.make_url("/"))
        async with a_gateway(Stub(), Stub(), otel_exporter_otlp_endpoint=url) as gateway:
            await gateway.http.get(f"{gateway.url}/orders")
    assert exported == ["GET /orders"]


async def test_a_collector_that_is_silent_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "EXPORT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=1) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with asyncio.timeout(8), a_gateway(Stub(), Stub(), otel_exporter_otlp_endpoint=url) as gateway:
            await gateway.http.get(f"{gateway.url}/orders")
        # The thread that is left behind would go on trying beside other tests, whose random numbers it takes.
        connection, _ = silent.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            await eventually(lambda: not any("Otel" in thread.name for thread in threading.enumerate()))


async def test_an_answer_of_a_collector_that_never_ends_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "EXPORT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=1) as endless:
        url = f"http://127.0.0.1:{endless.getsockname()[1]}"
        async with a_gateway(Stub(), Stub(), otel_exporter_otlp_endpoint=url) as gateway:
            await gateway.http.get(f"{gateway.url}/orders")
        connection, _ = endless.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nand so on")
            await eventually(lambda: not any("Otel" in thread.name for thread in threading.enumerate()))

"""A secret of each kind is planted in real processes at LOG_LEVEL=DEBUG, then all that they say is searched.

They say most when something fails, so the servers refuse them for a while, and some of them never start.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aio_pika
import asyncpg
import pytest

from kernel.adapters.identity.local_key import local_key, local_key_file
from kernel.adapters.identity.services import ServiceTokens
from kernel.adapters.system_clock import SystemClock
from kernel.domain.caller import Role
from kernel.environment import MAY_BE_SECRET
from kernel.settings import variables
from orders.contract.messages import ORDER_PLACED
from shop.services import load_shop
from tests.servers import raw
from tests.servers.broker import Broker
from tests.servers.ports import free_port
from tests.servers.process import Process, descendants, eventually
from tests.servers.shop import SERVICES, Embedded
from tests.servers.virtual_host import VirtualHost
from tests.spec.scenario import Http, new_user
from tests.spec.security.planted import HEADERS, NAME, PASSWORDS, Planted, Told, collector

SERVICE_KEY = "planted-service-key-" + "k" * 32
# These settings could hold a secret and do not: they lead to services, which take none by URL.
HARMLESS = {"ORDERS_URL", "PAYMENTS_URL"}
# The secrets of all other settings; a test fails where a new one is missing.
OTHERS = {
    "SHOP_TOKEN": "planted-shop-token",
    "SHOP_OIDC_CLIENT_SECRET": "planted-client-secret",
    "SHOP_SESSION_KEY": "planted-session-key-" + "s" * 32,
    "SHOP_RATE_LIMIT_URL": "redis://planted:planted-redis-7@127.0.0.1:1/0",
}
FORGED = "\n2026-11-30T00:00:00Z [info] planted-line\x1b[2K\u202e"


@pytest.fixture(scope="module")
async def planted(
    http: Http,
    postgres_server: str,
    coming_broker: Broker,
    broker: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Planted]:
    node = coming_broker.node
    if node is None:
        pytest.skip("RABBITMQ_URL names a broker whose users are not ours")
    told = Told({**PASSWORDS, **HEADERS, **OTHERS, "service key": SERVICE_KEY})
    folder, admin = tmp_path_factory.mktemp("planted"), await asyncpg.connect(postgres_server)
    await admin.execute(f"CREATE ROLE {NAME} LOGIN PASSWORD '{PASSWORDS['of the databases']}'")
    for name in ("orders", "payments"):
        await admin.execute(f"CREATE DATABASE {NAME}_{name} OWNER {NAME}")
    host = VirtualHost(node, NAME, PASSWORDS["of the broker"])
    ports = {service: free_port() for service in SERVICES}
    async with collector(told) as traces:
        settings = {
            "SHOP_AUTH": "jwt",
            "LOG_LEVEL": "DEBUG",
            "LOG_FORMAT": "json",
            "SHOP_DATA_DIR": str(folder),
            "SHOP_SERVICE_KEY": SERVICE_KEY,
            "RABBITMQ_URL": host.url(PASSWORDS["of the broker"]),
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "METRICS_PORT": str(free_port()),
            **{name: text for name, text in OTHERS.items() if name in _settings()},
            **{f"{service.upper()}_PORT": str(port) for service, port in ports.items()},
        }
        urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
        shop = Planted(told, http, folder, postgres_server, admin, host, settings, urls)
        for name in ("orders", "payments"):
            url = shop.url(name, PASSWORDS["of the databases"])
            settings[f"{name.upper()}_DATABASE_URL"] = url
            settings[f"{name.upper()}_LANE_URLS"] = f"0={url}"
            if f"{name.upper()}_MIGRATION_URL" in _settings():
                settings[f"{name.upper()}_MIGRATION_URL"] = f"0={url}"
        local_key(folder)
        told.secrets["local key"] = json.loads(local_key_file(folder).read_text())["d"]
        yield shop
    await admin.close()


def _settings() -> set[str]:
    return {name for own in load_shop({}).settings.values() for name in variables(type(own))}


@pytest.fixture(scope="module")
async def told(planted: Planted) -> Told:
    """Everything that a shop tells when all is well and when servers are away, and commands that fail."""
    wrong = planted.url("orders", PASSWORDS["of a database, wrong"])
    failing = [
        planted.process("audit", ORDERS_LANE_URLS=f"0={wrong}", LOG_FORMAT="console"),
        planted.process("demo"),
        planted.process("serve", "orders", RABBITMQ_URL=planted.host.url(PASSWORDS["of a database, wrong"])),
    ]
    up = planted.process("up")
    try:
        up.spawn()
        await up.ready(within=60)
        for process in failing:
            process.spawn()
        assert [await process.ended() for process in failing] == [1, 1, 1]
        planted.told.add("ps", _command_lines(up))
        await _good_days(planted)
        await _bad_days(planted, up)
        await planted.ask(None, "GET", f"http://127.0.0.1:{planted.settings['METRICS_PORT']}/metrics/orders")
        for service in SERVICES:
            operator = planted.token("operator", Role.OPERATOR)
            assert await planted.ask(operator, "GET", f"{planted.urls[service]}/metrics") == 200
    finally:
        await up.stop()
    for process in (up, *failing):
        planted.told.add("log", process.stdout + process.stderr)
        planted.told.add(f"log of {process}", process.stderr)
    return planted.told


def _command_lines(process: Process) -> bytes:
    """The command lines of the process and of those below it."""
    pids = [process.pid, *descendants(process.pid)]
    return b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)


async def _good_days(planted: Planted) -> None:
    gateway, user = planted.urls["gateway"], new_user()
    token = planted.token(user)
    assert await planted.ask(token, "POST", f"{gateway}/accounts", {"userId": user}) == 201
    assert await planted.ask(token, "POST", f"{gateway}/accounts/{user}/deposit", {"amount": 9}) == 200
    order = {"userId": user, "amount": 1}
    assert await planted.ask(token, "POST", f"{gateway}/orders", order, Prefer="wait=10") == 201
    assert await planted.ask(token, "POST", f"{gateway}/orders/batch", [order]) == 200
    for service, key in (("orders", SERVICE_KEY), ("payments", SERVICE_KEY)):
        own = ServiceTokens([key], "gateway", SystemClock()).signed(service)
        planted.told.secrets[f"service token for {service}"] = own.rpartition(".")[2]
        await planted.ask(own, "POST", f"{planted.urls[service]}/api/Admission", [order])
    for service in SERVICES:
        url = f"{planted.urls[service]}/metrics"
        assert await planted.ask(HEADERS["bad token"], "GET", url) == 401
        lines = [f"Authorization: Bearer {HEADERS['authorization of a malformed request']}", "Bad Header: x"]
        await planted.send(service, raw.request("/orders", *lines))
        large = f"Authorization: Bearer {HEADERS['authorization of a head that is too large']}"
        await planted.send(service, raw.request("/orders", large + "x" * 20_000))
        for name in ("X-Request-Id", "traceparent", "User-Agent", "Forwarded", "Idempotency-Key"):
            for text in (
                "\x1b[2Kplanted-line",
                "\x9b1Aplanted-line",
                "planted-line\n2026-11-30T00:00:00Z [info]",
            ):
                await planted.send(service, raw.request("/orders", f"{name}: {text}"))
        # Texts that a client may try to write into the log.
        forged = quote(FORGED, safe="")
        for path in (f"/{forged}", f"/accounts/{forged}", f"/orders/{forged}", f"/api/Order/{forged}"):
            assert await planted.ask(token, "GET", f"{planted.urls[service]}{path}?{forged}=1") in (400, 404)
    body = {"userId": f"{user}{FORGED}", "amount": 1, FORGED: 1}
    assert await planted.ask(token, "POST", f"{gateway}/orders", body) == 400


async def _bad_days(planted: Planted, up: Process) -> None:
    """Sessions end, and no new one is given; a message comes that nobody can read, and one that lies."""
    async with await aio_pika.connect(planted.host.url(PASSWORDS["of the broker"])) as connection:
        channel = await connection.channel()
        for text in ("not JSON" + FORGED, json.dumps(_lying_event())):
            message = aio_pika.Message(text.encode(), content_type="application/cloudevents+json")
            await channel.default_exchange.publish(message, "payments")
        await eventually(lambda: "dead-lettered" in up.stderr and "parked" in up.stderr)
    await planted.admin.execute(f"ALTER ROLE {NAME} PASSWORD 'another'")
    await asyncio.to_thread(planted.host.change_password, "another")
    terminate = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{NAME}'"
    await planted.admin.execute(terminate)
    await asyncio.to_thread(planted.host.close_connections)
    user = planted.token(new_user())
    await eventually(lambda: "28P01" in up.stderr and "ACCESS_REFUSED" in up.stderr)
    for service, path in (("gateway", "/orders"), ("orders", "/api/Order"), ("orders", "/health/ready")):
        assert await planted.ask(user, "GET", f"{planted.urls[service]}{path}") == 503


def _lying_event() -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"x{FORGED}",
        "source": f"/shop/orders{FORGED}",
        "type": ORDER_PLACED,
        "subject": f"planted-subject{FORGED}",
        "data": {"orderId": f"planted{FORGED}", "userId": "x", "amount": 1, "currency": "RUB"},
    }


def test_every_setting_that_may_be_secret_is_planted(planted: Planted) -> None:
    secret = {name for name in _settings() if name.endswith(MAY_BE_SECRET)}
    assert secret - HARMLESS <= planted.settings.keys()


def test_no_secret_is_in_a_log(told: Told) -> None:
    for happened in ("answered", "listening", "the command failed", "Traceback", "28P01", "ACCESS_REFUSED"):
        assert happened.encode() in told.said["log"], "this log would not tell"
    assert told.found_in("log") == []


def test_no_secret_is_in_an_answer_or_a_figure(told: Told) -> None:
    for happened in ("shop_outbox_events", "WWW-Authenticate", "database_unavailable", "not_ready"):
        assert happened.encode() in told.said["answers"]
    assert told.found_in("answers") == []


def test_no_secret_is_in_a_trace(told: Told) -> None:
    assert b"place_orders" in told.said["traces"]
    assert told.found_in("traces") == []


def test_no_secret_is_in_the_list_of_processes(told: Told) -> None:
    assert b"shop\0up\0" in told.said["ps"]
    assert told.found_in("ps") == []


def test_the_password_of_an_embedded_database_is_not_in_the_list_of_processes(embedded: Embedded) -> None:
    passwords = [path.read_text().strip() for path in (embedded.directory / "data").glob("*/password")]
    assert len(passwords) == 2
    lines = _command_lines(embedded.up)
    assert b"postgres" in lines
    assert not [password for password in passwords if password.encode() in lines]


def test_nobody_writes_a_line_of_a_log_by_sending_it(told: Told) -> None:
    assert b"planted-subject" in told.said["log"], "nothing that was sent is logged at all"
    lines = told.said["log of `shop up`"].decode().splitlines()
    assert [line for line in lines if not isinstance(json.loads(line), dict)] == []
    assert not [line for line in lines if line.startswith("2026")]
    for sign_of_control in ("\x1b", "\u202e", "\x9b"):
        assert sign_of_control not in told.said["log"].decode()

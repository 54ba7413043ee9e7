"""Runs one service, or the whole shop in one process."""

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import aiohttp
import msgspec
import uvloop

import gateway.main
import orders.main
import payments.main
from kernel.adapters.http.server import listen
from kernel.adapters.memory.bus import InProcessBroker, InProcessBus, InProcessNotifications
from kernel.adapters.postgres.migrating import migrate
from kernel.adapters.postgres.start import naming, require_migratable
from kernel.adapters.rabbit.bus import RabbitBus
from kernel.adapters.rabbit.notifications import RabbitNotifications
from kernel.ports.bus import Bus, Notifications
from kernel.settings import Settings, SettingsError, required
from shop.databases import SERVICES
from shop.schemas import SCHEMAS

T = TypeVar("T")

READY_POLL_S = 0.02
YOUNG_OBJECTS_MAX = 50_000
PORTS = ("GATEWAY_PORT", "ORDERS_PORT", "PAYMENTS_PORT")


def run(main: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Run `main` on an event loop; the event that it is given is set by SIGTERM and Ctrl-C."""

    async def until_signalled() -> T:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await main(stop)

    _allow_many_connections()
    _collect_garbage_rarely()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(until_signalled())


def _collect_garbage_rarely() -> None:
    """Reference counts free nearly all that a call leaves; looking for cycles 20 times a batch finds nothing.

    What the imports made lives as long as the process, and is not looked at at all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX)


def _allow_many_connections() -> None:
    """An open stream is an open file, of which a process may often have 1024 only until it asks for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # as where the system means less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def serve(service: str, settings: Settings, stop: asyncio.Event) -> None:
    """One service of the production topology."""
    match service:
        case "orders":
            await orders.main.serve(settings, _rabbit(settings, service), stop)
        case "payments":
            await payments.main.serve(settings, _rabbit(settings, service), stop)
        case "gateway":
            await gateway.main.serve(settings, _notifications(settings), stop)


async def serve_all(settings: Settings, stop: asyncio.Event) -> None:
    """The whole shop; without RABBITMQ_URL its services meet on a bus of this process."""
    settings = msgspec.structs.replace(
        settings,
        orders_url=local_url(settings, settings.orders_port),
        payments_url=local_url(settings, settings.payments_port),
    )
    broker = InProcessBroker()

    def bus(service: str) -> Bus:
        return _rabbit(settings, service) if settings.rabbitmq_url else InProcessBus(broker, service)

    async with asyncio.TaskGroup() as group:
        group.create_task(payments.main.serve(settings, bus("payments"), stop))
        group.create_task(orders.main.serve(settings, bus("orders"), stop))
        # The door opens last, so that nobody meets a gateway with nothing behind it.
        for url in (settings.payments_url, settings.orders_url):
            await _until_ready(url, stop)
        group.create_task(gateway.main.serve(settings, _notifications(settings, broker), stop))


async def require_given_databases(settings: Settings) -> None:
    """Raises Unavailable or SchemaMismatch, before embedded servers are made for the other services."""
    given = {schema: getattr(settings, f"{schema.service}_database_url") for schema in SCHEMAS.values()}
    await require_migratable([(url, schema) for schema, url in given.items() if url])


async def migrate_databases(settings: Settings, services: tuple[str, ...] = SERVICES) -> dict[str, int]:
    """Bring the databases to their newest revision; answers with its number, by service.

    All of them are checked before any is migrated.
    """
    databases = [(required(settings, f"{service}_database_url"), SCHEMAS[service]) for service in services]
    await require_migratable(databases)
    within_s = settings.shop_migrate_lock_within
    revisions = {}
    for url, schema in databases:
        with naming(schema.service, url):
            revisions[schema.service] = await migrate(url, schema.service, lock_within_s=within_s)
    return revisions


@asynccontextmanager
async def open_shop(settings: Settings, stop: asyncio.Event) -> AsyncIterator[None]:
    """The whole shop, migrated and answering, until the block ends; `stop` ends it early.

    Raises SettingsError where two services were to share a port, and Unavailable where one is taken, before
    anything is done.
    """
    ports = {settings.gateway_port, settings.orders_port, settings.payments_port}
    if len(ports) < len(PORTS):
        raise SettingsError(f"{', '.join(PORTS)} must be different")
    for port in ports:
        listen(settings.bind_host, port).close()
    await migrate_databases(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_all(settings, stop))
        await _until_ready(local_url(settings, settings.gateway_port), stop)
        yield
        stop.set()


async def answers(url: str) -> bool:
    """Whether a service there is ready."""
    with suppress(aiohttp.ClientError, TimeoutError):
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as session,
            session.get(f"{url}/health/ready") as response,
        ):
            return response.status == 200
    return False


async def _until_ready(url: str, stop: asyncio.Event) -> None:
    while not stop.is_set() and not await answers(url):
        await asyncio.sleep(READY_POLL_S)


def local_url(settings: Settings, port: int) -> str:
    any_address = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = any_address.get(settings.bind_host, settings.bind_host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _rabbit(settings: Settings, service: str) -> RabbitBus:
    return RabbitBus(required(settings, "rabbitmq_url").split(","), service)


def _notifications(settings: Settings, broker: InProcessBroker | None = None) -> Notifications:
    """Of the broker of this process where no other is set; a gateway alone then hears nothing, and reads."""
    if settings.rabbitmq_url:
        return RabbitNotifications(settings.rabbitmq_url.split(","), "gateway")
    return InProcessNotifications(broker or InProcessBroker())

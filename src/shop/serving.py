"""Runs one service, or the whole shop in one process."""

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import aiohttp
import uvloop

from kernel.adapters.http.server.server import listen
from kernel.adapters.in_process.bus import InProcessBroker, InProcessBus, InProcessNotifications
from kernel.adapters.postgres.checks.start import naming, require_migratable
from kernel.adapters.postgres.migrating.migrate import migrate
from kernel.adapters.rabbit.bus import RabbitBus
from kernel.adapters.rabbit.notifications import RabbitNotifications
from kernel.ports.bus import Bus, Notifications
from kernel.service import Host
from kernel.settings import SettingsError, required, variable
from shop.documents import messages_of
from shop.identity import require_reach, with_own_keys
from shop.services import Shop

T = TypeVar("T")

READY_POLL_S = 0.02
YOUNG_OBJECTS_MAX = 50_000


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


async def serve_all(shop: Shop, stop: asyncio.Event) -> None:
    """The whole shop; without RABBITMQ_URL its services meet on a bus of this process.

    A service without a database works with those that have one. It starts last, so that nobody meets a
    gateway with nothing behind it.
    """
    shop = _at_local_urls(shop)
    broker = InProcessBroker(shop.catalog)
    async with asyncio.TaskGroup() as group:
        for name in shop.stores:
            group.create_task(serve(name, shop, stop, broker))
        for name in shop.stores:
            await _until_ready(url_of(shop, name), stop)
        for name in shop.services:
            if name not in shop.stores:
                group.create_task(serve(name, shop, stop, broker))


async def serve(name: str, shop: Shop, stop: asyncio.Event, broker: InProcessBroker | None = None) -> None:
    """One service. `broker` is that of this process, if it has one; RABBITMQ_URL names another."""
    settings = shop.settings[name]
    require_reach(settings)

    def bus() -> Bus:
        if broker and not settings.rabbitmq_url:
            return InProcessBus(broker, name)
        return RabbitBus(required(settings, "rabbitmq_url").split(","), name, shop.catalog)

    def notifications() -> Notifications:
        """Without any broker a gateway hears nothing, and reads."""
        if settings.rabbitmq_url:
            return RabbitNotifications(settings.rabbitmq_url.split(","), name)
        return InProcessNotifications(broker or InProcessBroker(shop.catalog))

    host = Host(bus=bus, notifications=notifications, asyncapi=messages_of(shop, name), stop=stop)
    await shop.services[name].load_main().serve(settings, host)


def _at_local_urls(shop: Shop) -> Shop:
    """Each setting `NAME_URL` of a service leads to the service of that name in this process."""
    local = {f"{name}_url": url_of(shop, name) for name in shop.services}
    changes = {
        name: {field: url for field, url in local.items() if hasattr(own, field)}
        for name, own in shop.settings.items()
    }
    return shop.replaced(changes)


async def require_given_databases(shop: Shop) -> None:
    """Raises Unavailable or SchemaMismatch, before embedded servers are made for the other services."""
    given = {name: shop.settings[name].database_url for name in shop.stores}
    await require_migratable([(url, shop.services[name].load_schema()) for name, url in given.items() if url])


async def migrate_databases(shop: Shop, services: Sequence[str]) -> dict[str, int]:
    """Bring the databases to their newest revision; answers with its number, by service.

    All of them are checked before any is migrated.
    """
    databases = [
        (required(shop.settings[name], "database_url"), shop.services[name].load_schema())
        for name in services
    ]
    await require_migratable(databases)
    within_s = shop.common.shop_migrate_lock_within
    revisions = {}
    for url, schema in databases:
        with naming(schema.service, url):
            revisions[schema.service] = await migrate(
                url, schema.service, schema.versions, lock_within_s=within_s
            )
    return revisions


@asynccontextmanager
async def open_shop(shop: Shop, stop: asyncio.Event) -> AsyncIterator[None]:
    """The whole shop, migrated and answering, until the block ends; `stop` ends it early.

    Raises SettingsError where two services were to share a port, and Unavailable where one is taken, before
    anything is done.
    """
    require_reach(shop.common)
    shop = with_own_keys(shop)
    ports = {own.port for own in shop.settings.values()}
    if len(ports) < len(shop.services):
        names = sorted(variable(service.settings, "port") for service in shop.services.values())
        raise SettingsError(f"{', '.join(names)} must be different")
    for port in ports:
        listen(shop.common.bind_host, port).close()
    await migrate_databases(shop, shop.stores)
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_all(shop, stop))
        for name in shop.services:
            await _until_ready(url_of(shop, name), stop)
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


def welcome(shop: Shop) -> str:
    """Where each service of this shop answers, and where its data is."""
    lines = {}
    for name in sorted(shop.services):
        url, page = url_of(shop, name), shop.services[name].load_main().api(shop.settings[name]).ui_path
        lines[name] = url + page if name in shop.stores else f"{url}  (try it: {url}{page})"
    lines["data"] = str(shop.common.shop_data_dir.resolve())
    width = max(9, *map(len, lines))
    listed = "".join(f"  {name:{width}} {line}\n" for name, line in lines.items())
    return f"The shop is open.\n{listed}Ctrl-C stops it."


def url_of(shop: Shop, name: str) -> str:
    """Where a service of this shop answers on this machine."""
    any_address = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    settings = shop.settings[name]
    host = any_address.get(settings.bind_host, settings.bind_host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"

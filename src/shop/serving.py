"""Runs one service, or the whole shop in one process."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

import aiohttp
import uvloop

from kernel.adapters.http.metrics_port import Exposition, MetricsPort
from kernel.adapters.in_process.bus import InProcessBroker, InProcessBus, InProcessNotifications
from kernel.adapters.rabbit.bus import RabbitBus
from kernel.adapters.rabbit.notifications import RabbitNotifications
from kernel.ports.bus import Bus, Notifications
from kernel.service import Host
from kernel.settings import require_all, required
from shop.databases import has_database
from shop.documents import messages_of
from shop.process import allow_many_connections, collect_garbage_rarely
from shop.reach import require_free_ports, require_reach
from shop.services import Shop

READY_POLL_S = 0.02


def run(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs `main` on an event loop, with an event that SIGTERM and Ctrl-C set."""

    async def until_signalled() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await main(stop)

    allow_many_connections()
    collect_garbage_rarely()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_signalled())


async def serve_all(shop: Shop, stop: asyncio.Event) -> None:
    """Runs the whole shop; without RABBITMQ_URL, its services share a bus in this process.

    Services without a database, such as the gateway, start last, because they call those with one.
    """
    shop = _at_local_urls(shop)
    broker, figures = InProcessBroker(shop.catalog), MetricsPort()

    def begin(name: str) -> None:
        group.create_task(_serve(name, shop, stop, partial(figures.show, f"/metrics/{name}"), broker))

    async with _metrics_port(shop, figures, stop), asyncio.TaskGroup() as group:
        for name in shop.stores:
            begin(name)
        for name in shop.stores:
            await _until_ready(url_of(shop, name), stop)
        for name in shop.services:
            if name not in shop.stores:
                begin(name)


async def serve(name: str, shop: Shop, stop: asyncio.Event) -> None:
    """Runs one service alone."""
    figures = MetricsPort()
    async with _metrics_port(shop, figures, stop):
        await _serve(name, shop, stop, partial(figures.show, "/metrics"))


def _metrics_port(shop: Shop, figures: MetricsPort, stop: asyncio.Event) -> AbstractAsyncContextManager[None]:
    return figures.open(shop.common.bind_host, shop.common.metrics_port, stop)


async def _serve(
    name: str,
    shop: Shop,
    stop: asyncio.Event,
    expose: Callable[[Exposition], None],
    broker: InProcessBroker | None = None,
) -> None:
    """Runs one service until `stop`. Without RABBITMQ_URL it uses `broker`, the bus inside this process."""
    settings, asyncapi = shop.settings[name], messages_of(shop, name)
    require_reach(settings)
    needed = ["database_url"] if name in shop.stores and not has_database(settings) else []
    if asyncapi and not broker:
        needed.append("rabbitmq_url")
    require_all(settings, *needed)

    def bus() -> Bus:
        if broker and not settings.rabbitmq_url:
            return InProcessBus(broker, name)
        return RabbitBus([required(settings, "rabbitmq_url")], name, shop.catalog)

    def notifications() -> Notifications:
        """Notifications by the configured broker. Without one, the gateway asks orders."""
        if settings.rabbitmq_url:
            return RabbitNotifications([settings.rabbitmq_url], name)
        return InProcessNotifications(broker or InProcessBroker(shop.catalog))

    host = Host(
        bus=bus,
        notifications=notifications,
        asyncapi=asyncapi,
        expose=expose,
        stop=stop,
        operated=shop.operated,
    )
    await shop.services[name].load_main().serve(settings, host)


def _at_local_urls(shop: Shop) -> Shop:
    """Sets every setting `NAME_URL` of a service to the service of that name in this process."""
    local = {f"{name}_url": url_of(shop, name) for name in shop.services}
    changes = {
        name: {field: url for field, url in local.items() if hasattr(own, field)}
        for name, own in shop.settings.items()
    }
    return shop.replaced(changes)


@asynccontextmanager
async def open_shop(shop: Shop, stop: asyncio.Event) -> AsyncIterator[None]:
    """Migrates and starts the whole shop, and runs it until the block ends or `stop` is set.

    Before any change, it raises SettingsError if two services would share a port, and Unavailable if a port
    is taken.
    """
    # Imported here: a service that runs alone needs neither, and saves their memory.
    from shop.identity import with_own_keys
    from shop.migrating import migrate_databases

    require_reach(shop.common)
    shop = with_own_keys(shop)
    require_free_ports(shop)
    await migrate_databases(shop, shop.stores)
    async with asyncio.TaskGroup() as group:
        group.create_task(serve_all(shop, stop))
        for name in shop.services:
            await _until_ready(url_of(shop, name), stop)
        yield
        stop.set()


async def answers(url: str) -> bool:
    """Whether a service at this URL is ready."""
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
    """Text for the console: the URL of each service, the data folder, and how to get a token."""
    lines = {}
    for name in sorted(shop.services):
        url, page = url_of(shop, name), shop.services[name].load_main().api(shop.settings[name]).ui_path
        lines[name] = url + page if name in shop.stores else f"{url}/  (the API: {url}{page})"
    common = shop.common
    lines["data"] = str(common.shop_data_dir.resolve())
    if common.shop_auth == "jwt":
        own = "`shop token --user alice` prints one"
        lines["tokens"] = f"of {common.shop_jwt_issuer}" if common.shop_jwt_keys else own
    width = max(9, *map(len, lines))
    listed = "".join(f"  {name:{width}} {line}\n" for name, line in lines.items())
    return f"The shop is running.\n{listed}Ctrl-C stops it."


def url_of(shop: Shop, name: str) -> str:
    """The base URL at which a service of this shop is reached from this machine."""
    any_address = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    settings = shop.settings[name]
    host = any_address.get(settings.bind_host, settings.bind_host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"

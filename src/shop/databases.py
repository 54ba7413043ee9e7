"""Finds the databases for a command: those of the settings, or the embedded ones of SHOP_DATA_DIR.

A command never mixes both kinds. One service's database of one shop and another service's database of another
shop would look like a shop that lost its orders.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from kernel.adapters.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, running_url
from kernel.settings import SettingsError, not_set, variable
from shop.services import Shop


def own_databases(shop: Shop) -> AbstractContextManager[Shop]:
    """Starts an embedded server for each service whose URL is not set. Raises EmbeddedPostgresError if
    another running shop uses these servers."""
    _require_whole(shop, shop.stores)
    return _with_servers(shop, shop.stores)


@contextmanager
def any_databases(shop: Shop, services: Sequence[str], *, make: bool = False) -> Iterator[Shop]:
    """Yields the shop with its databases: from the settings, a running shop, or embedded servers.

    It starts embedded servers if nobody runs them. Raises SettingsError if only URLs of other services are
    set, and EmbeddedPostgresError if SHOP_DATA_DIR has no shop and `make` is false.
    """
    _require_whole(shop, services)
    if any(has_database(shop.settings[service]) for service in shop.stores):
        lacking = [shop.settings[service] for service in services if not has_database(shop.settings[service])]
        if lacking:
            raise SettingsError(not_set([variable(type(own), "database_url") for own in lacking]))
        yield shop
        return
    if not make:
        _require_shop(shop, services)
    running = {service: _running(shop, service) for service in services}
    with _with_servers(shop.replaced(running), services) as complete:
        yield complete


def has_database(settings: Any) -> bool:
    """Whether a service's settings contain a database URL."""
    return bool(settings.database_url or getattr(settings, "lane_urls", None))


def _require_whole(shop: Shop, services: Sequence[str]) -> None:
    """Raises SettingsError if a service has a `migration_url`, but no database URL."""
    for service in services:
        settings = shop.settings[service]
        if getattr(settings, "migration_url", None) and not has_database(settings):
            owners = variable(type(settings), "migration_url")
            raise SettingsError(f"{owners} is set, but {variable(type(settings), 'database_url')} is not")


def _require_shop(shop: Shop, services: Sequence[str]) -> None:
    folder = shop.common.shop_data_dir
    for service in services:
        if not (folder / service / "cluster").is_dir():
            names = " and ".join(variable(shop.services[name].settings, "database_url") for name in services)
            raise EmbeddedPostgresError(
                f"there is no shop in {folder.absolute()}: set {names}, or SHOP_DATA_DIR"
            )


def _running(shop: Shop, service: str) -> Mapping[str, str | None]:
    """The URLs of the embedded server that another process runs for this service; None values without one."""
    folder = shop.common.shop_data_dir / service
    of_role, of_owner = (running_url(folder, database=service, owner=owner) for owner in (False, True))
    return _urls(shop, service, of_role, of_owner)


def _urls(shop: Shop, service: str, of_role: str | None, of_owner: str | None) -> Mapping[str, str | None]:
    """The URLs as settings of the service. A service without a `migration_url` connects as the owner."""
    if hasattr(shop.settings[service], "migration_url"):
        return {"database_url": of_role, "migration_url": of_owner}
    return {"database_url": of_owner}


@contextmanager
def _with_servers(shop: Shop, services: Sequence[str]) -> Iterator[Shop]:
    started = {}
    with ExitStack() as servers:
        for service in services:
            if not has_database(shop.settings[service]):
                server = EmbeddedPostgres(shop.common.shop_data_dir / service, database=service)
                servers.enter_context(server)
                started[service] = _urls(shop, service, server.service_url, server.url)
        yield shop.replaced(started)

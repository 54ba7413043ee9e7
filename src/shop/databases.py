"""The databases that a command works on: those of the settings, else the embedded ones of SHOP_DATA_DIR.

A command takes all of them from one of the two: half of one shop and half of another look like a shop that
lost its orders.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from kernel.adapters.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, running_url
from kernel.settings import required, variable
from shop.services import Shop


def own_databases(shop: Shop) -> AbstractContextManager[Shop]:
    """Starts the embedded servers that a shop needs; raises EmbeddedPostgresError where another shop runs.

    A URL that is set is used instead of the embedded server of its service.
    """
    return _with_servers(shop, shop.stores)


@contextmanager
def any_databases(shop: Shop, services: Sequence[str], *, make: bool = False) -> Iterator[Shop]:
    """The databases of the settings, else those of a running shop, else embedded servers that this starts.

    Raises SettingsError where only the URL of another service is set, and EmbeddedPostgresError where there
    is no shop, unless this is to `make` one.
    """
    if any(shop.settings[service].database_url for service in shop.stores):
        for service in services:
            required(shop.settings[service], "database_url")
        yield shop
        return
    if not make:
        _require_shop(shop, services)
    folder = shop.common.shop_data_dir
    running = {
        service: {"database_url": running_url(folder / service, database=service)} for service in services
    }
    with _with_servers(shop.replaced(running), services) as complete:
        yield complete


def _require_shop(shop: Shop, services: Sequence[str]) -> None:
    folder = shop.common.shop_data_dir
    for service in services:
        if not (folder / service / "cluster").is_dir():
            names = " and ".join(variable(shop.services[name].settings, "database_url") for name in services)
            raise EmbeddedPostgresError(
                f"there is no shop in {folder.absolute()}: set {names}, or SHOP_DATA_DIR"
            )


@contextmanager
def _with_servers(shop: Shop, services: Sequence[str]) -> Iterator[Shop]:
    started = {}
    with ExitStack() as servers:
        for service in services:
            if shop.settings[service].database_url is None:
                server = EmbeddedPostgres(shop.common.shop_data_dir / service, database=service)
                started[service] = {"database_url": servers.enter_context(server).url}
        yield shop.replaced(started)

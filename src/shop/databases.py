"""The databases that a command works on: those of the settings, else the embedded ones of SHOP_DATA_DIR.

A command takes all of them from one of the two: half of one shop and half of another look like a shop that
lost its orders.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import msgspec

from kernel.adapters.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, running_url
from kernel.settings import Settings, required

SERVICES = ("orders", "payments")


@contextmanager
def own_databases(settings: Settings) -> Iterator[Settings]:
    """Starts the embedded servers that a shop needs; raises EmbeddedPostgresError where another shop runs.

    A URL that is set is used instead of the embedded server of its service.
    """
    with ExitStack() as servers:
        yield _with_servers(settings, SERVICES, servers)


@contextmanager
def any_databases(settings: Settings, services: Sequence[str], *, make: bool = False) -> Iterator[Settings]:
    """The databases of the settings, else those of a running shop, else embedded servers that this starts.

    Raises SettingsError where only the URL of another service is set, and EmbeddedPostgresError where there
    is no shop, unless this is to `make` one.
    """
    if any(_url(settings, service) for service in SERVICES):
        for service in services:
            required(settings, f"{service}_database_url")
        yield settings
        return
    if not make:
        _require_shop(settings, services)
    running = {
        f"{service}_database_url": running_url(settings.shop_data_dir / service, database=service)
        for service in services
    }
    with ExitStack() as servers:
        yield _with_servers(msgspec.structs.replace(settings, **running), services, servers)


def _require_shop(settings: Settings, services: Sequence[str]) -> None:
    for service in services:
        if not (settings.shop_data_dir / service / "cluster").is_dir():
            names = " and ".join(f"{name.upper()}_DATABASE_URL" for name in services)
            raise EmbeddedPostgresError(
                f"there is no shop in {settings.shop_data_dir.absolute()}: set {names}, or SHOP_DATA_DIR"
            )


def _with_servers(settings: Settings, services: Sequence[str], servers: ExitStack) -> Settings:
    started = {}
    for service in services:
        if _url(settings, service) is None:
            server = EmbeddedPostgres(settings.shop_data_dir / service, database=service)
            started[f"{service}_database_url"] = servers.enter_context(server).url
    return msgspec.structs.replace(settings, **started)


def _url(settings: Settings, service: str) -> str | None:
    url: str | None = getattr(settings, f"{service}_database_url")
    return url

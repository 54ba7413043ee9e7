"""The databases that a command works on: those of the settings, else the embedded ones of SHOP_DATA_DIR."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import msgspec

from kernel.adapters.embedded.postgres import EmbeddedPostgres, running_url
from kernel.settings import Settings

SERVICES = ("orders", "payments")


@contextmanager
def own_databases(settings: Settings) -> Iterator[Settings]:
    """Starts the embedded servers that a shop needs; raises EmbeddedPostgresError where another shop runs."""
    with ExitStack() as servers:
        yield _with_urls(settings, SERVICES, servers)


@contextmanager
def any_databases(settings: Settings, services: Sequence[str]) -> Iterator[Settings]:
    """Like own_databases, but takes the servers of a shop that runs now."""
    running = {
        f"{service}_database_url": running_url(settings.shop_data_dir / service, database=service)
        for service in services
        if _url(settings, service) is None
    }
    with ExitStack() as servers:
        yield _with_urls(msgspec.structs.replace(settings, **running), services, servers)


def _with_urls(settings: Settings, services: Sequence[str], servers: ExitStack) -> Settings:
    started = {}
    for service in services:
        if _url(settings, service) is None:
            server = EmbeddedPostgres(settings.shop_data_dir / service, database=service)
            started[f"{service}_database_url"] = servers.enter_context(server).url
    return msgspec.structs.replace(settings, **started)


def _url(settings: Settings, service: str) -> str | None:
    url: str | None = getattr(settings, f"{service}_database_url")
    return url

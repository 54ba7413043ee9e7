"""A service as its shop sees it: all that it takes to run the service beside the others.

Whatever is costly to import is named here and imported when it is used: the console answers help and mistakes
at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from importlib import import_module
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Protocol, cast

from kernel.contracts.messaging import Messaging
from kernel.domain.value import value
from kernel.ports.bus import Bus, Notifications
from kernel.settings import Settings

if TYPE_CHECKING:
    from kernel.adapters.http.documents.openapi import Api
    from kernel.adapters.postgres.audit import Check
    from kernel.adapters.postgres.tables import Schema


@value(kw_only=True)
class Host:
    """What a process lends to a service that it runs until `stop` is set."""

    bus: Callable[[], Bus]
    """Raises SettingsError where there is no broker."""
    notifications: Callable[[], Notifications]
    asyncapi: bytes | None
    """The document of the service's messages, in JSON; None where it has none."""
    expose: Callable[[Callable[[], Awaitable[bytes]]], None]
    """Takes the source of the service's metrics, to show them at METRICS_PORT where that is set."""
    stop: asyncio.Event
    operated: Mapping[str, str] = field(default_factory=dict)
    """Where services answer whose `/ops` the gateway joins with those that it knows: URLs, by name."""


class Main(Protocol):
    """The module that runs a service. `settings` are those that the service declares."""

    def api(self, settings: Any) -> "Api":
        """What the service offers over HTTP, of which its OpenAPI document is made."""
        ...

    async def serve(self, settings: Any, host: Host) -> None:
        """Run the service. Raises ShopError or SettingsError if it cannot start."""
        ...


@value(kw_only=True)
class Service:
    """Its `serve` gives health checks to `probes` (kernel/wiring/health.py). For parked messages and dead
    letters nothing is declared: `shop dead-letters` takes each service with a schema."""

    messaging: Messaging
    settings: type[Settings]
    """With a field `port`, and with `database_url` where the service has a database; with `migration_url` too
    where migrations run under a role of their own, and the service's has only the rights of its Schema; with
    `lane_urls` where it runs as many lanes as SHOP_LANES says. With
    `{name}_url`, operators reach the service through the gateway."""
    main: str
    """The module that has `api` and `serve`, as Main describes it."""
    schema: str | None = None
    """Where the Schema of its database is: `module:name`. None: the service owns no data."""
    audit: str | None = None
    """Where the Checks of its database are, for `shop audit`: `module:name` of a tuple."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """What it adds to the console: where the command of each name is, as `module:name`."""

    @property
    def name(self) -> str:
        return self.messaging.service

    @property
    def package(self) -> str:
        return self.main.partition(".")[0]

    def load_main(self) -> Main:
        return cast(Main, import_module(self.main))

    def load_schema(self) -> "Schema":
        if self.schema is None:
            raise LookupError(f"{self.name} has no database")
        return cast("Schema", resolve_name(self.schema))

    def load_audit(self) -> "Sequence[Check]":
        return cast("Sequence[Check]", resolve_name(self.audit)) if self.audit else ()

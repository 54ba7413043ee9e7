"""The declaration of a service, by which a shop can run it beside other services.

Modules that are slow to import are only named here. They are imported when they are used, so that the console
answers help and mistakes at once.
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
    """The parts that a process gives to a service, which the process runs until `stop` is set."""

    bus: Callable[[], Bus]
    """Makes the service's bus. Raises SettingsError if no broker is set."""
    notifications: Callable[[], Notifications]
    asyncapi: bytes | None
    """The AsyncAPI document of the service, in JSON; None if it has no messages."""
    expose: Callable[[Callable[[], Awaitable[bytes]]], None]
    """Takes the function that writes the service's metrics, which METRICS_PORT serves if it is set."""
    stop: asyncio.Event
    operated: Mapping[str, str] = field(default_factory=dict)
    """The URLs, by name, of further services whose `/ops` the gateway joins, beside orders and payments."""


class Main(Protocol):
    """The module that runs a service. `settings` are of the type that the service declares."""

    def api(self, settings: Any) -> "Api":
        """Returns the HTTP routes of the service, from which its OpenAPI document is made."""

    async def serve(self, settings: Any, host: Host) -> None:
        """Runs the service. Raises ShopError or SettingsError if it cannot start."""


@value(kw_only=True)
class Service:
    """The declaration of a service. It needs nothing for parked messages: `shop dead-letters` works on every
    service with a schema."""

    messaging: Messaging
    settings: type[Settings]
    """Required fields: `port`, and `database_url` if the service has a database. Optional: `migration_url`,
    for a role that runs migrations, so that the service's own role has only the rights of its Schema;
    `lane_urls`, if the service can have several lanes; `{name}_url`, by which the gateway calls the
    service."""
    main: str
    """The name of a module that has `api` and `serve` (Main)."""
    schema: str | None = None
    """The Schema of the service's database, as `module:name`. None means that the service owns no data."""
    audit: str | None = None
    """The tuple of Checks of the service's database, as `module:name`, for `shop audit`."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """The commands that the service adds to the console, by name, each as `module:name`."""

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

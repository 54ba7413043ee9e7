"""The services of the shop: no other file of `shop` lists them.

A service that is installed beside ours is found by its entry point in the group `shop.services`, which names
its Service.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import msgspec

from gateway.service import SERVICE as GATEWAY
from kernel.adapters.words import in_words
from kernel.contracts.messaging import Catalog
from kernel.domain.value import value
from kernel.environment import load_settings
from kernel.service import Service
from kernel.settings import Settings, SettingsError
from orders.service import SERVICE as ORDERS
from payments.service import SERVICE as PAYMENTS

OURS = (ORDERS, PAYMENTS, GATEWAY)
GROUP = "shop.services"


@value
class Shop:
    """The services that a command works on, and the settings of each, by the names of the services."""

    services: Mapping[str, Service]
    settings: Mapping[str, Any]

    @property
    def common(self) -> Settings:
        """The settings that all services share."""
        shared: Settings = next(iter(self.settings.values()))
        return shared

    @property
    def stores(self) -> tuple[str, ...]:
        """The services that have a database."""
        return tuple(name for name, service in self.services.items() if service.schema)

    @property
    def catalog(self) -> Catalog:
        return Catalog(service.messaging for service in self.services.values())

    @property
    def operated(self) -> Mapping[str, str]:
        """The URLs of services that have a setting for their own URL, by the service's name."""
        urls = {name: getattr(own, f"{name}_url", None) for name, own in self.settings.items()}
        return {name: url for name, url in urls.items() if url}

    def replaced(self, changes: Mapping[str, Mapping[str, Any]]) -> "Shop":
        """Returns a copy of the shop. `changes` holds, by the service's name, the settings to replace."""
        settings = dict(self.settings)
        for name, changed in changes.items():
            settings[name] = msgspec.structs.replace(settings[name], **changed)
        return Shop(self.services, settings)


def load_shop(environment: Mapping[str, str], services: Iterable[Service] = OURS) -> Shop:
    """Reads the settings of all services. Raises SettingsError for a wrong setting or a duplicate name."""
    by_name: dict[str, Service] = {}
    for service in services:
        if by_name.setdefault(service.name, service) is not service:
            raise SettingsError(f"two services are named {service.name}")
    settings = {name: load_settings(service.settings, environment) for name, service in by_name.items()}
    return Shop(by_name, settings)


@cache
def installed() -> tuple[Service, ...]:
    """The shop's own services, and those found by entry points. Raises SettingsError if loading fails."""
    others = []
    for entry in sorted(entry_points(group=GROUP)):
        try:
            others.append(entry.load())
        except Exception as error:
            raise SettingsError(f"the service {entry.name} ({entry.value}): {in_words(error)}") from error
    return (*OURS, *others)

"""A click type for service names. The services are found at run time, because others may be installed."""

from collections.abc import Callable
from typing import Any

import click

from kernel.service import Service
from shop.services import Shop, installed


def services_of(context: click.Context) -> tuple[Service, ...]:
    """The services of the command's shop. With `--help` no shop is loaded, so the installed ones are used."""
    shop = context.find_object(Shop)
    return tuple(shop.services.values()) if shop else installed()


class ServiceName(click.ParamType[str]):
    name = "service"

    def __init__(self, *others: str, wanted: Callable[[Service], object] = lambda _: True) -> None:
        """Accepts the names of services that are `wanted`, and the words in `others`."""
        self._others = others
        self._wanted = wanted

    def _choice(self, context: click.Context | None) -> click.Choice[str]:
        services = services_of(context or click.get_current_context())
        names = [service.name for service in services if self._wanted(service)]
        return click.Choice([*names, *self._others])

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self._choice(ctx).get_metavar(param, ctx)

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str | None:
        return self._choice(ctx).get_missing_message(param, ctx)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return self._choice(ctx).convert(value, param, ctx)

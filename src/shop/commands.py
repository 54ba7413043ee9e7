"""The group of all console commands: the shop's own and those of services. Errors become one line."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

import click

from shop.mistakes import in_one_line
from shop.service_name import services_of

logger = logging.getLogger(__name__)


@contextmanager
def _failing_in_one_line() -> Iterator[None]:
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except Exception as error:
        logger.debug("the command failed", exc_info=error)
        raise click.ClickException(in_one_line(error)) from None


class ShopCommands(click.Group):
    """If a service adds a command with the name of one of the shop's own commands, the shop's own is used."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _failing_in_one_line():
            return super().make_context(*arguments, **options)

    def invoke(self, context: click.Context) -> Any:
        with _failing_in_one_line():
            return super().invoke(context)

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *_brought(context)})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if (own := super().get_command(context, name)) or name not in (brought := _brought(context)):
            return own
        command: click.Command = resolve_name(brought[name])
        return command


def _brought(context: click.Context) -> dict[str, str]:
    """The commands that services add: from the command's name to its place, `module:name`."""
    return {name: where for service in services_of(context) for name, where in service.commands.items()}

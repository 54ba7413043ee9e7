"""The console command `shop`. Each command imports what it runs, so that help and mistakes answer at once."""

import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from uuid import UUID

import click
import msgspec

from kernel.adapters.telemetry.logs import configure_logs
from shop.broker import broker
from shop.consumers import consumers
from shop.databases import any_databases, own_databases
from shop.dead_letters.commands import dead_letters
from shop.mistakes import in_one_line
from shop.service_name import ServiceName, services_of
from shop.services import Shop, installed, load_shop
from shop.terminal import announce, json_option, run, say, say_facts
from shop.token import token

logger = logging.getLogger(__name__)


@contextmanager
def _failing_in_one_line() -> Iterator[None]:
    """Whatever a command raises ends in one clear line, not in a traceback."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except Exception as error:
        logger.debug("the command failed", exc_info=error)
        raise click.ClickException(in_one_line(error)) from None


class ShopCommands(click.Group):
    """Our commands, and those that services bring; ours come first where two have one name."""

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
    return {name: where for service in services_of(context) for name, where in service.commands.items()}


@click.group(cls=ShopCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shop", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """An online shop whose orders and money cannot be lost or doubled.

    Settings are environment variables; README.md lists them.
    """
    shop = load_shop(os.environ, installed())
    packages = ("kernel", "shop", *(service.package for service in shop.services.values()))
    configure_logs(shop.common.log_level, shop.common.log_format, packages)
    _ignore_libpq()
    context.obj = shop


def _ignore_libpq() -> None:
    """The driver would take from these variables what a URL leaves out, and so would embedded servers."""
    ignored = sorted(name for name in os.environ if re.fullmatch("PG[A-Z]+", name))
    for name in ignored:
        del os.environ[name]
    if ignored:
        logger.warning("%s: ignored, a database is found by its URL alone", ", ".join(ignored))


@cli.command()
@click.pass_obj
def up(shop: Shop) -> None:
    """Run the whole shop in this process, on PostgreSQL servers of its own; stop it with Ctrl-C."""
    from shop import serving
    from shop.migrating import require_given_databases

    # Until the event loop listens to signals: the database servers may be starting.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))

    async def until_stopped(stop: asyncio.Event) -> None:
        async with serving.open_shop(complete, stop):
            if not stop.is_set():
                announce(serving.welcome(complete))
            await stop.wait()

    asyncio.run(require_given_databases(shop))
    with own_databases(shop) as complete:
        serving.run(until_stopped)


@cli.command()
@click.argument("service", type=ServiceName())
@click.pass_obj
def serve(shop: Shop, service: str) -> None:
    """Run one service on the servers that the settings name."""
    from shop import serving

    serving.run(lambda stop: serving.serve(service, shop, stop))


@cli.command()
@click.argument("service", type=ServiceName("all", wanted=lambda service: service.schema))
@json_option
@click.pass_obj
def migrate(shop: Shop, service: str, as_json: bool) -> None:
    """Bring a database to the newest revision of its schema."""
    from shop.migrating import migrate_databases

    services = shop.stores if service == "all" else (service,)
    with any_databases(shop, services, make=True) as complete:
        revisions = asyncio.run(migrate_databases(complete, services))
    if as_json:
        say_facts(msgspec.json.encode(revisions))
    else:
        for name, number in revisions.items():
            say(f"{name}: at revision {number:04}")


@cli.command()
@json_option
@click.pass_obj
def demo(shop: Shop, as_json: bool) -> None:
    """Walk through the shop: an account, a deposit, orders that are paid, refused and returned."""
    from shop.demo import run_demo

    sys.exit(0 if run_demo(shop, as_json=as_json) else 1)


@cli.command()
@click.option("--at-rest", is_flag=True, help="Nothing may be under way: what waits is a fault, too.")
@json_option
@click.pass_obj
def audit(shop: Shop, at_rest: bool, as_json: bool) -> None:
    """Check the books, also of a shop that works: money, payments and histories; name what is wrong."""
    from shop.audit.report import run_audit

    with any_databases(shop, shop.stores) as complete:
        sound = run_audit(complete, at_rest=at_rest, as_json=as_json)
    sys.exit(0 if sound else 1)


@cli.command()
@click.argument("order_id", type=click.UUID)
@json_option
@click.pass_obj
def explain(shop: Shop, order_id: UUID, as_json: bool) -> None:
    """Say why an order is where it is: every stored fact over both services, and what it waits for."""
    from kernel.contracts.values import encode
    from shop.console import new_console
    from shop.explain import explain, show

    with any_databases(shop, shop.stores) as complete:
        found = asyncio.run(explain(complete, order_id))
    if as_json:
        say_facts(encode(found))
    else:
        show(found, new_console())


@cli.command()
@click.option(
    "--out",
    default="docs",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that gets openapi/ and asyncapi/.",
)
@click.option("--check", is_flag=True, help="Write nothing; name the files that are out of date.")
@json_option
@click.pass_obj
def openapi(shop: Shop, out: Path, check: bool, as_json: bool) -> None:
    """Write the OpenAPI and AsyncAPI documents of all services; needs no database and no running shop."""
    from shop.documents import stale, write

    act = stale if check else write
    found = [str(path) for path in act(out, shop.services.values())]
    if as_json:
        say_facts(msgspec.json.encode({"stale" if check else "written": found}))
    else:
        for path in found:
            say(f"{path}: {'out of date, run `make docs`' if check else 'written'}")
    sys.exit(1 if check and found else 0)


cli.add_command(broker)
cli.add_command(consumers)
cli.add_command(dead_letters)
cli.add_command(token)


def main() -> None:
    run(lambda: cli.main(prog_name="shop", standalone_mode=False))

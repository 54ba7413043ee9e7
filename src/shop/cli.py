"""The console command `shop`. Each command imports its code when it runs, so help is fast."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import UUID

import click

from kernel.adapters.telemetry.logs import configure_logs
from shop.broker import broker
from shop.commands import ShopCommands
from shop.consumers import consumers
from shop.databases import any_databases, own_databases
from shop.dead_letters.commands import dead_letters
from shop.ignored import warn_of_ignored
from shop.service_name import ServiceName
from shop.services import Shop, installed, load_shop
from shop.terminal import announce, json_option, run, say_result, show_result
from shop.token import token


@click.group(cls=ShopCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shop", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """An online shop whose orders and money cannot be lost or doubled.

    Settings are environment variables; docs/settings.md lists them.
    """
    shop = load_shop(os.environ, installed())
    packages = ("kernel", "shop", *(service.package for service in shop.services.values()))
    configure_logs(shop.common.log_level, shop.common.log_format, packages)
    warn_of_ignored(shop)
    context.obj = shop


@cli.command()
@click.pass_obj
def up(shop: Shop) -> None:
    """Run the whole shop in this process, on PostgreSQL servers of its own; stop it with Ctrl-C."""
    from shop import serving
    from shop.migrating import require_given_databases

    # Until the event loop handles signals, while the database servers start.
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
    lines = (f"{name}: at revision {number:04}" for name, number in revisions.items())
    say_result(revisions, as_json, *lines)


@cli.command()
@json_option
@click.pass_obj
def demo(shop: Shop, as_json: bool) -> None:
    """Walk through the shop: an account, a deposit, orders that are paid, refused and returned."""
    from shop.demo import run_demo

    sys.exit(0 if run_demo(shop, as_json=as_json) else 1)


@cli.command()
@click.option("--at-rest", is_flag=True, help="Nothing may be under way: undecided orders are faults, too.")
@json_option
@click.pass_obj
def audit(shop: Shop, at_rest: bool, as_json: bool) -> None:
    """Check the books, also of a running shop: money, payments and histories; list the faults."""
    from shop.audit.report import run_audit

    with any_databases(shop, shop.stores) as complete:
        sound = run_audit(complete, at_rest=at_rest, as_json=as_json)
    sys.exit(0 if sound else 1)


@cli.command()
@click.argument("order_id", type=click.UUID)
@json_option
@click.pass_obj
def explain(shop: Shop, order_id: UUID, as_json: bool) -> None:
    """Explain the state of an order: every stored fact of both services, and what the order waits for."""
    from shop.explain import explain, show

    with any_databases(shop, shop.stores) as complete:
        found = asyncio.run(explain(complete, order_id))
    show_result(found, as_json, show)


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
    lines = (f"{path}: {'out of date, run `make docs`' if check else 'written'}" for path in found)
    say_result({"stale" if check else "written": found}, as_json, *lines)
    sys.exit(1 if check and found else 0)


cli.add_command(broker)
cli.add_command(consumers)
cli.add_command(dead_letters)
cli.add_command(token)


def main() -> None:
    run(lambda: cli.main(prog_name="shop", standalone_mode=False))

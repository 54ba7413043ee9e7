"""`shop dead-letters`: list, replay, discard."""

import asyncio
import getpass
import os
import socket
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import click
import msgspec

from shop.databases import any_databases
from shop.service_name import ServiceName
from shop.services import Shop
from shop.terminal import say, say_facts

LIST_MAX = 1000

_json = click.option("--json", "as_json", is_flag=True, help="Print facts for programs.")
_service = click.option(
    "--service",
    type=ServiceName(wanted=lambda service: service.schema),
    help="Only what this service could not handle.",
)


def _which(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which messages are meant."""
    for decorate in (
        _json,
        _service,
        click.option("--all", "everything", is_flag=True, help="All that wait now."),
        click.option("--reason", help="All that wait now for this reason."),
        click.argument("ids", nargs=-1, type=click.UUID, metavar="[ID]..."),
    ):
        command = decorate(command)
    return command


@click.group("dead-letters")
def dead_letters() -> None:
    """Messages that could not be handled: parked ones, and those in the dead-letter queues."""


@dead_letters.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=LIST_MAX,
    show_default=True,
    help="So many of each service and place.",
)
@_service
@_json
@click.pass_obj
def list_(shop: Shop, limit: int, service: str | None, as_json: bool) -> None:
    """List them, grouped by reason."""
    from shop.console import new_console
    from shop.dead_letters.acting import look
    from shop.dead_letters.report import show

    with any_databases(shop, services := _services(shop, service)) as complete:
        listing = asyncio.run(look(complete, services, count_max=limit))
    if as_json:
        say_facts(msgspec.json.encode(listing))
    else:
        show(listing, new_console())


@dead_letters.command()
@_which
@click.pass_obj
def replay(
    shop: Shop,
    ids: tuple[UUID, ...],
    reason: str | None,
    everything: bool,
    service: str | None,
    as_json: bool,
) -> None:
    """Have them handled again, each once: those named by ID, or all of a reason, or all.

    Their service does it within a second or so, or as soon as it starts.
    """
    from shop.dead_letters.acting import Choice, choose, replay

    _exactly_one(ids, reason, everything)
    with any_databases(shop, services := _services(shop, service)) as complete:
        chosen = asyncio.run(choose(complete, services, Choice(frozenset(ids), reason, everything)))
        count = asyncio.run(replay(complete, services, chosen))
    _say_count("replayed", count, as_json)


@dead_letters.command()
@_which
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--note", default="", help="Why, for the record.")
@click.option("--by", default=None, help="Who, for the record.  [default: user@host]")
@click.pass_obj
def discard(
    shop: Shop,
    ids: tuple[UUID, ...],
    reason: str | None,
    everything: bool,
    service: str | None,
    as_json: bool,
    yes: bool,
    note: str,
    by: str | None,
) -> None:
    """Throw them away: those named by ID, or all of a reason, or all. Asks first, and leaves a record."""
    from shop.dead_letters.acting import Choice, choose, discard
    from shop.dead_letters.report import in_words

    _exactly_one(ids, reason, everything)
    if not yes and not sys.stdin.isatty():
        raise click.ClickException("discarding asks first, and there is no terminal: say --yes")
    count = 0
    with any_databases(shop, services := _services(shop, service)) as complete:
        chosen = asyncio.run(choose(complete, services, Choice(frozenset(ids), reason, everything)))
        if any(found.ids for found in chosen):
            if not yes:
                click.confirm(f"Discard {in_words(chosen)} for good?", abort=True, err=True)
            count = asyncio.run(discard(complete, services, chosen, by=by or _operator(), note=note))
    _say_count("discarded", count, as_json)


def _say_count(done: str, count: int, as_json: bool) -> None:
    if as_json:
        say_facts(msgspec.json.encode({done: count}))
    else:
        say(f"{done.capitalize()}: {count}")


def _services(shop: Shop, service: str | None) -> tuple[str, ...]:
    return shop.stores if service is None else (service,)


def _exactly_one(ids: tuple[UUID, ...], reason: str | None, everything: bool) -> None:
    if [bool(ids), reason is not None, everything].count(True) != 1:
        raise click.UsageError("Say which: one ID or several, or --reason, or --all.")


def _operator() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"

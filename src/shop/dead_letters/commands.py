"""`shop dead-letters`: list, groups, hold, release, replay, discard."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import click

from kernel.domain.parked import Kind
from shop.databases import any_databases
from shop.dead_letters.group_commands import groups, hold, release, service_option, services_meant
from shop.operators import by_option, operator
from shop.services import Shop
from shop.terminal import json_option, say_result, show_result


def _which(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the arguments and options that select messages, and --service, --by and --json."""
    for decorate in (
        json_option,
        service_option,
        by_option,
        click.option("--all", "everything", is_flag=True, help="All that wait now."),
        click.option("--reason", help="All that wait now for this reason."),
        click.option("--group", type=click.UUID, help="All of this group that wait now."),
        click.argument("ids", nargs=-1, type=click.UUID, metavar="[ID]..."),
    ):
        command = decorate(command)
    return command


@click.group("dead-letters")
def dead_letters() -> None:
    """Messages that could not be handled: events that were parked, and dead letters of the broker."""


for _command in (groups, hold, release):
    dead_letters.add_command(_command)


@dead_letters.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=1000,
    show_default=True,
    help="The most messages of each service.",
)
@click.option("--group", type=click.UUID, help="Only this group.")
@service_option
@json_option
@click.pass_obj
def list_(shop: Shop, limit: int, group: UUID | None, service: str | None, as_json: bool) -> None:
    """List them, by groups that have service, place, reason and type in common."""
    from shop.dead_letters.acting import look
    from shop.dead_letters.report import show

    with any_databases(shop, services := services_meant(shop, service)) as complete:
        caller = operator()
        listing = asyncio.run(look(complete, services, caller, group=group, count_max=limit))
    show_result(listing, as_json, show)


@dead_letters.command()
@_which
@click.option("--note", default="", help="Why, for the record.")
@click.pass_obj
def replay(
    shop: Shop, /, service: str | None, as_json: bool, by: str | None, note: str, **which: Any
) -> None:
    """Have messages handled again, each once: by ID, or those of a group, of a reason, or all.

    They are handed back now. Their service handles them within a second or so, or as soon as it starts.
    """
    from shop.dead_letters.acting import Choice, act, choose

    choice, caller = Choice(**_exactly_one(which)), operator(by)
    with any_databases(shop, services := services_meant(shop, service)) as complete:
        chosen = asyncio.run(choose(complete, services, caller, choice))
        done = asyncio.run(act(complete, services, caller, Kind.REPLAY, chosen, note))
    _say_done("replayed", "Handed back to their service", done, as_json)


@dead_letters.command()
@_which
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--note", default="", help="Why, for the record; required.")
@click.pass_obj
def discard(
    shop: Shop, /, service: str | None, as_json: bool, by: str | None, yes: bool, note: str, **which: Any
) -> None:
    """Throw messages away: by ID, or those of a group, of a reason, or all.

    Asks first, and leaves a record.
    """
    from shop.dead_letters.acting import Choice, act, choose
    from shop.dead_letters.report import in_words

    choice, caller = Choice(**_exactly_one(which)), operator(by)
    if not yes and not sys.stdin.isatty():
        raise click.ClickException("discarding asks first, and there is no terminal: say --yes")
    done: Sequence[Any] = ()
    with any_databases(shop, services := services_meant(shop, service)) as complete:
        if not note.strip():
            raise click.ClickException("discarding asks why: say --note")
        chosen = asyncio.run(choose(complete, services, caller, choice))
        if chosen:
            if not yes:
                click.confirm(f"Discard {in_words(chosen)} for good?", abort=True, err=True)
            done = asyncio.run(act(complete, services, caller, Kind.DISCARD, chosen, note))
    _say_done("discarded", "Discarded", done, as_json)


def _say_done(key: str, words: str, operations: Sequence[Any], as_json: bool) -> None:
    count = sum(operation.done for operation in operations)
    say_result({key: count, "operations": operations}, as_json, f"{words}: {count}")


def _exactly_one(which: dict[str, Any]) -> dict[str, Any]:
    if sum(bool(value) for value in which.values()) != 1:
        raise click.UsageError("Say which: one ID or several, or --group, or --reason, or --all.")
    return which

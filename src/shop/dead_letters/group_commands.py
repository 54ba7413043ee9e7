"""`shop dead-letters groups`, `hold` and `release`."""

import asyncio
from typing import Any
from uuid import UUID

import click

from shop.databases import any_databases
from shop.operators import by_option, operator
from shop.service_name import ServiceName
from shop.services import Shop
from shop.terminal import json_option, say_result, show_result

service_option = click.option(
    "--service",
    type=ServiceName(wanted=lambda service: service.schema),
    help="Only what this service could not handle.",
)
_group = click.argument("group", type=click.UUID)


def services_meant(shop: Shop, service: str | None) -> tuple[str, ...]:
    return shop.stores if service is None else (service,)


@click.command()
@service_option
@json_option
@click.pass_obj
def groups(shop: Shop, service: str | None, as_json: bool) -> None:
    """List the groups only: how many, since when, and who looks after them."""
    from shop.dead_letters.acting import look_at_groups
    from shop.dead_letters.report import show_groups

    with any_databases(shop, services := services_meant(shop, service)) as complete:
        found = asyncio.run(look_at_groups(complete, services, operator()))
    show_result(found, as_json, show_groups)


@click.command()
@_group
@click.option("--owner", required=True, help="Who looks after it.")
@click.option("--note", default="", help="Why, for the others.")
@click.option("--ticket", default="", help="The ticket about it.")
@by_option
@service_option
@json_option
@click.pass_obj
def hold(
    shop: Shop,
    group: UUID,
    owner: str,
    note: str,
    ticket: str,
    by: str | None,
    service: str | None,
    as_json: bool,
) -> None:
    """Note that somebody looks after GROUP. Alarms leave out its messages, also those that join it later."""
    from shop.dead_letters.acting import hold

    with any_databases(shop, services := services_meant(shop, service)) as complete:
        caller = operator(by)
        held = asyncio.run(hold(complete, services, caller, group, owner=owner, note=note, ticket=ticket))
    _say_group("Held", held, as_json)


@click.command()
@_group
@click.option("--note", default="", help="Why, for the record.")
@by_option
@service_option
@json_option
@click.pass_obj
def release(shop: Shop, group: UUID, note: str, by: str | None, service: str | None, as_json: bool) -> None:
    """Note that nobody looks after GROUP any more. Alarms tell of its messages again."""
    from shop.dead_letters.acting import release

    with any_databases(shop, services := services_meant(shop, service)) as complete:
        released = asyncio.run(release(complete, services, operator(by), group, note))
    _say_group("Released", released, as_json)


def _say_group(word: str, group: Any, as_json: bool) -> None:
    told = f"{word}: {group.service}, {group.place}, {group.reason}, {group.type or 'no type'}"
    say_result(group, as_json, told)

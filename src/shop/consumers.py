"""The commands `shop consumers list`, `pause` and `resume`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import click

from kernel.contracts.consumers import Consumer, consumer_body
from kernel.domain.parked import OwnName
from kernel.domain.pauses import ConsumerState
from kernel.domain.text import harmless
from kernel.lane_servers import lane_servers
from shop.databases import any_databases
from shop.operators import by_option, operator
from shop.service_name import ServiceName
from shop.services import Shop
from shop.terminal import json_option, say_result

if TYPE_CHECKING:
    from kernel.application.pause_consumer import OperateConsumer

_service = click.argument("service", type=ServiceName(wanted=lambda service: service.schema))
_note = click.option("--note", default="", help="Why, for the record.")


@click.group()
def consumers() -> None:
    """The consumers that take the services' messages: list, pause and resume them."""


@consumers.command("list")
@json_option
@click.pass_obj
def list_(shop: Shop, as_json: bool) -> None:
    """List them, and which are paused: by whom, since when and why."""
    with any_databases(shop, shop.stores) as complete:
        found = asyncio.run(_each(complete, shop.stores, lambda one: one.state(operator())))
    say_result(found, as_json, *map(_in_words, found))


@consumers.command()
@_service
@_note
@by_option
@json_option
@click.pass_obj
def pause(shop: Shop, service: str, note: str, by: str | None, as_json: bool) -> None:
    """Stop SERVICE from taking messages. Its processes follow within 2 seconds, also those that start later.

    They finish the messages that they are handling. If SERVICE is paused already, nothing changes.
    """
    _act(shop, service, lambda one: one.pause(operator(by), note), as_json)


@consumers.command()
@_service
@_note
@by_option
@json_option
@click.pass_obj
def resume(shop: Shop, service: str, note: str, by: str | None, as_json: bool) -> None:
    """Let SERVICE take messages again."""
    _act(shop, service, lambda one: one.resume(operator(by), note), as_json)


def _act(
    shop: Shop, service: str, act: Callable[["OperateConsumer"], Awaitable[ConsumerState]], as_json: bool
) -> None:
    with any_databases(shop, (service,)) as complete:
        (done,) = asyncio.run(_each(complete, (service,), act))
    say_result(done, as_json, _in_words(done))


def _in_words(consumer: Consumer) -> str:
    paused = consumer.paused
    if paused is None:
        return f"{consumer.service}: takes messages"
    note = f": {harmless(paused.note)}" if paused.note else ""
    return (
        f"{consumer.service}: paused by {harmless(paused.by)} since {paused.since:%Y-%m-%dT%H:%M:%SZ}{note}"
    )


async def _each(
    shop: Shop, services: Sequence[str], act: Callable[["OperateConsumer"], Awaitable[ConsumerState]]
) -> list[Consumer]:
    """Calls `act` for each service, on the first lane's database, which stores the pauses. Raises
    SchemaMismatch, or Unavailable if a database cannot be reached."""
    from kernel.adapters.postgres.messages.pauses import PostgresPauses, PostgresStandingReading
    from kernel.adapters.postgres.operator_record import PostgresOperatorRecord
    from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
    from kernel.adapters.system_clock import SystemClock
    from kernel.application.pause_consumer import OperateConsumer, PauseConsumer, ResumeConsumer
    from kernel.wiring.database import one_lane

    found, clock = [], SystemClock()
    for name in map(OwnName, services):
        servers, schema = lane_servers(shop.settings[name]), shop.services[name].load_schema()
        async with one_lane(servers, schema) as (engine, _):
            uow = PostgresUnitOfWork(engine)
            parts = uow, PostgresPauses(uow, name), PostgresOperatorRecord(uow), clock
            pause, resume = PauseConsumer(*parts), ResumeConsumer(*parts)
            reading = PostgresStandingReading(engine, name)
            found.append(consumer_body(await act(OperateConsumer(reading, name, pause, resume, clock))))
    return found

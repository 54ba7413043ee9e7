"""`shop broker`: sets up RabbitMQ for services whose broker users may not declare exchanges and queues."""

import asyncio

import click
import msgspec

from kernel.settings import required
from shop.services import Shop
from shop.terminal import json_option, say, say_result


@click.group()
def broker() -> None:
    """Set up your own RabbitMQ: its users, and its exchange, queues and bindings."""


@broker.command("declare")
@json_option
@click.pass_obj
def declare_(shop: Shop, as_json: bool) -> None:
    """Declare exchange, queues and bindings, as a user who may do so; safe to repeat.

    Until then, a service whose own user may not do so cannot start.
    """
    from kernel.adapters.rabbit.declaring import declare_at

    asyncio.run(declare_at(required(shop.common, "rabbitmq_url").split(","), shop.catalog))
    queues = [one.service for one in shop.catalog.services if one.subscribes]
    say_result({"declared": queues}, as_json, f"Declared, with their dead letters: {', '.join(queues)}")


@broker.command("definitions")
@click.pass_obj
def definitions_(shop: Shop) -> None:
    """Print the definitions of RabbitMQ's users and their rights, in JSON; docs/recipes/broker-users.md."""
    from kernel.adapters.rabbit.definitions import definitions

    for line in msgspec.json.format(msgspec.json.encode(definitions(shop.catalog))).decode().splitlines():
        say(line)

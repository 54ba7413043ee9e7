"""Generates RabbitMQ's users and permissions: each service may do what its messages need, and no more.

The output is a definitions file (https://www.rabbitmq.com/docs/definitions). No service may do the following.
Topic permissions do not prevent it, so the other permissions do:

- write to the default exchange, because that puts a message into any queue;
- configure queues while it may write to `shop.events`, because a queue can send its dead letters to
  `shop.events` under any routing key;
- read the messages of other services.
"""

import re
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from kernel.adapters.rabbit.topology import EXCHANGE, dead_letter_queue, service_queue
from kernel.contracts.messaging import Catalog, Messaging

# The user for jobs and operators, not for a service. It declares the topology, and inspects queues.
OPERATOR = "shop"
VHOST = "/"
NOTHING = "^$"
_DEFAULT_EXCHANGE = "amq.default"  # its name in permissions


def definitions(catalog: Catalog) -> dict[str, Any]:
    """The content of the definitions file. It has no password hashes, but placeholders with the names of the
    passwords' variables. A broker can load the file only after these placeholders are replaced."""
    services = [one for one in catalog.services if one.sends or one.subscribes or one.listens]
    names = [OPERATOR, *(one.service for one in services)]
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(name) for name in names],
        "permissions": [_permissions_of_operator(catalog), *map(_permissions, services)],
        "topic_permissions": list(map(_topic_permissions, services)),
    }


def password_variable(user: str) -> str:
    prefix = "" if user == OPERATOR else re.sub(r"\W", "_", user).upper() + "_"
    return f"{prefix}RABBITMQ_PASSWORD"


def _user(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": "${" + password_variable(name) + "}",
        "tags": ["monitoring"] if name == OPERATOR else [],
    }


def _permissions(one: Messaging) -> dict[str, str]:
    own = [rf"{_literal(one.service)}-[0-9a-f]{{32}}"] if one.listens else []
    queues = [service_queue(one.service).name, dead_letter_queue(one.service).name] if one.subscribes else []
    return {
        "user": one.service,
        "vhost": VHOST,
        "configure": _any_of(own),
        "write": _any_of([*own, *map(_literal, [EXCHANGE.name] if one.sends else [])]),
        "read": _any_of([*own, *map(_literal, [*([EXCHANGE.name] if one.listens else []), *queues])]),
    }


def _permissions_of_operator(catalog: Catalog) -> dict[str, str]:
    """The operator declares queues that have a dead-letter exchange. RabbitMQ allows this only to users who
    may read the queue and write to the dead-letter exchange."""
    queues = [_literal(name) for name in _queues(catalog)]
    exchange = _literal(EXCHANGE.name)
    return {
        "user": OPERATOR,
        "vhost": VHOST,
        "configure": _any_of([exchange, *queues]),
        "write": _any_of([_literal(_DEFAULT_EXCHANGE), *queues]),
        "read": _any_of([exchange, *queues]),
    }


def _queues(catalog: Catalog) -> Iterator[str]:
    for one in filter(attrgetter("subscribes"), catalog.services):
        yield from (service_queue(one.service).name, dead_letter_queue(one.service).name)


def _topic_permissions(one: Messaging) -> dict[str, str]:
    return {
        "user": one.service,
        "vhost": VHOST,
        "exchange": EXCHANGE.name,
        "write": _any_of(map(_literal, one.sends)),
        "read": _any_of(map(_literal, one.listens)),
    }


def _any_of(patterns: Iterable[str]) -> str:
    """A pattern that matches whole names. Without its anchors, RabbitMQ would find a match inside a name."""
    every = list(patterns)
    return f"^({'|'.join(every)})$" if every else NOTHING


def _literal(name: str) -> str:
    return name.replace(".", r"\.")

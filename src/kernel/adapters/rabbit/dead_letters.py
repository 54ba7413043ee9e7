"""The dead-letter queue of a service: looked at without loss, handed to its consumer, or thrown away."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from aio_pika.abc import AbstractChannel
from aiormq.abc import DeliveredMessage
from faststream.rabbit import RabbitBroker
from pamqp.commands import Basic

from kernel.adapters.cloudevents import decode_events
from kernel.adapters.rabbit.connection import RabbitConnection
from kernel.adapters.rabbit.topology import dead_letter_queue, declare_topology
from kernel.adapters.rabbit.urls import broker_url
from kernel.contracts.messaging import Catalog
from kernel.domain.events import Event, MessageId, Parked, Received, Unhandled
from kernel.ports.bus import Handler, Unreadable

# What a broker says of a message that its consumer called unreadable.
_REASONS = {"rejected": "unreadable"}
PASSES_MAX = 10
PASS_EVERY_S = 0.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`parked.id` is made of the bytes of the message: equal ones cannot be told apart, and need not be."""

    parked: Parked
    message: DeliveredMessage


class RabbitDeadLetters:
    """One visit to the queue: `async with`. Everything raises Unavailable where no broker answers.

    A letter that was looked at is held until the end of the visit, then goes back to the queue unless it was
    settled; so each is met once a visit, and who comes meanwhile meets the others only.
    """

    def __init__(self, urls: Sequence[str], service: str, catalog: Catalog) -> None:
        """`urls` are the nodes of one cluster. Raises Invalid for a malformed one."""
        self._urls = [broker_url(url) for url in urls]
        self._service = service
        self._catalog = catalog
        self._queue = dead_letter_queue(service).name
        self._connection: RabbitConnection

    async def __aenter__(self) -> Self:
        async def prepare(broker: RabbitBroker) -> AbstractChannel:
            return (await declare_topology(broker, self._catalog)).channel

        name = f"{self._service} dead letters"
        self._connection = await RabbitConnection.open_at_any(self._urls, name, prepare)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()

    async def letters(self) -> AsyncIterator[DeadLetter]:
        """As many as there were at the start: what is sent back and fails again is not met again."""
        declared = await self._connection.ask(
            lambda channel: channel.queue_declare(self._queue, passive=True)
        )
        for _ in range(declared.message_count or 0):
            message = await self._connection.ask(lambda channel: channel.basic_get(self._queue))
            if isinstance(message.delivery, Basic.GetEmpty):
                return
            yield DeadLetter(_parked(self._queue, message), message)

    async def hand_over(self, ids: Collection[UUID], handle: Handler) -> None:
        """As the port DeadLetters has it. Somebody who looks at letters holds them for a moment; those are
        waited for."""
        wanted = set(ids)
        for _ in range(PASSES_MAX):
            async for letter in self.letters():
                if letter.parked.id in ids:
                    wanted.discard(letter.parked.id)
                    await self._hand_over(letter, handle)
            if not wanted:
                return
            await asyncio.sleep(PASS_EVERY_S)

    async def _hand_over(self, letter: DeadLetter, handle: Handler) -> None:
        try:
            await handle(letter.message.body)
        except Unreadable as error:
            logger.warning("dead-lettered: %s", error)
        except Exception:
            logger.exception("a dead letter was not handled, it stays where it is")
        else:
            await self.remove(letter)

    async def remove(self, letter: DeadLetter) -> None:
        tag = letter.message.delivery_tag
        await self._connection.ask(lambda channel: channel.basic_ack(tag or 0))


def _parked(queue: str, message: DeliveredMessage) -> Parked:
    """A dead letter in the words for parked messages."""
    death = _last_death(message)
    digest = hashlib.sha256(queue.encode() + b"\0" + message.body).digest()
    reason = str(death.get("reason", "unknown"))
    routing_keys = death.get("routing-keys") or [""]
    at = death.get("time")
    at = at if isinstance(at, datetime) else datetime.now(UTC)
    type_, subject, detail = _contents(message.body)
    unhandled = Unhandled(
        message=MessageId("sha256", digest.hex()),
        type=type_ or str(routing_keys[0]),
        subject=subject,
        reason=_REASONS.get(reason, reason),
        detail=detail,
        payload=message.body,
    )
    return Parked(UUID(bytes=digest[:16]), unhandled, 1, at, at)


def _last_death(message: DeliveredMessage) -> dict[str, Any]:
    """How the message came here (https://www.rabbitmq.com/docs/dlx#effects); {} for one put here by hand."""
    deaths = (message.header.properties.headers or {}).get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}


def _contents(body: bytes) -> tuple[str, str, str]:
    """Type and subject of the first event, and what can be said of the whole."""
    try:
        events: Sequence[Received[Event] | Unhandled] = decode_events(body, {})
    except Unreadable as error:
        return "", "", str(error)
    for event in events:
        if isinstance(event, Unhandled):
            return event.type, event.subject, f"events: {len(events)}"
    return "", "", "events: 0"

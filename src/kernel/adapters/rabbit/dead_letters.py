"""The dead-letter queue of a service, for operators: looked at without loss, sent back, or thrown away."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self
from uuid import UUID

from aiormq.abc import DeliveredMessage
from faststream.rabbit import Channel
from pamqp.commands import Basic
from yarl import URL

from kernel.adapters.cloudevents import decode_events
from kernel.adapters.rabbit.connection import ANSWER_S, RabbitConnection
from kernel.adapters.rabbit.topology import dead_letter_queue, declare_topology
from kernel.adapters.rabbit.urls import broker_url
from kernel.contracts.messaging import Catalog
from kernel.domain.errors import Unavailable
from kernel.domain.events import Event, MessageId, Parked, Received, Unhandled
from kernel.ports.bus import Unreadable

# What a broker says of a message that its consumer called unreadable.
_REASONS = {"rejected": "unreadable"}
_PERSISTENT = 2


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
        self._declare = partial(declare_topology, catalog=catalog)
        self._queue = dead_letter_queue(service).name
        self._connection: RabbitConnection

    async def __aenter__(self) -> Self:
        *others, last = self._urls
        for url in others:
            with suppress(Unavailable):
                return await self._open(url)
        return await self._open(last)

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()

    async def _open(self, url: URL) -> Self:
        self._connection = RabbitConnection(
            url,
            f"{self._service} dead letters",
            Channel(on_return_raises=True),
            grace_s=0,
            on_lost=lambda _: None,
        )
        try:
            await self._connection.open(self._declare, within_s=ANSWER_S)
        except BaseException:
            await self._connection.close()
            raise
        return self

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

    async def send_back(self, letter: DeadLetter) -> None:
        """To the end of the service's queue, confirmed, before it leaves this one. A crash in between doubles
        the message, which is harmless: its events keep their ids, and the inbox claims each once."""
        message = letter.message
        properties = Basic.Properties(
            content_type=message.header.properties.content_type, delivery_mode=_PERSISTENT
        )
        confirmed = await self._connection.ask(
            lambda channel: channel.basic_publish(
                message.body, routing_key=self._service, properties=properties, mandatory=True
            )
        )
        if not isinstance(confirmed, Basic.Ack):
            detail = f"the queue {self._service} did not take a message back"
            raise Unavailable(detail, code="rabbitmq_unavailable")
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

"""Receives notifications from RabbitMQ. Each process has its own queue, deleted with its connection."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from operator import methodcaller
from uuid import uuid4

from aio_pika.abc import AbstractChannel
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker
from yarl import URL

from kernel.adapters.rabbit.bus import CHECK_S
from kernel.adapters.rabbit.connection import ANSWER_S, RabbitConnection
from kernel.adapters.rabbit.consuming import consumed, envelope
from kernel.adapters.rabbit.refusals import report
from kernel.adapters.rabbit.topology import EXCHANGE, NO_QUEUES, declare_topology, listener_queue
from kernel.adapters.rabbit.urls import BrokerUrls
from kernel.adapters.system_clock import SystemClock
from kernel.application.backoff import Backoff
from kernel.application.trouble import Trouble
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope

_CLOSE_S = 3.0
_WANTED_WITHIN_S = 0.5

logger = logging.getLogger(__name__)


class RabbitNotifications:
    """Notifications for one service. `urls` are the nodes of one cluster. A lost connection is replaced."""

    def __init__(self, urls: Sequence[str], service: str) -> None:
        """Raises Invalid for a malformed URL."""
        self._urls = BrokerUrls(urls)
        self._service = service
        self._backoff = Backoff(SystemClock())
        self._healthy = False
        self._trouble = Trouble("rabbitmq", SystemClock())
        self._wanted = False
        self._binding: Binding | None = None

    @property
    def healthy(self) -> bool:
        return self._healthy

    async def listen(self, event_type: str, handle: Callable[[bytes], None]) -> None:
        while True:
            for url in self._urls.now():
                try:
                    await self._listen_at(url, event_type, handle)
                except Unavailable as error:
                    report(self._trouble, error)
                await self._backoff.wait()

    async def want(self, wanted: bool) -> None:
        self._wanted = wanted
        if self._binding is not None:
            with suppress(Unavailable, TimeoutError):  # `_listen_at` tries again.
                async with asyncio.timeout(_WANTED_WITHIN_S):
                    await self._binding.follow()

    async def _listen_at(self, url: URL, event_type: str, handle: Callable[[bytes], None]) -> None:
        """Listens at one broker until the connection, queue or consumer is lost, then raises Unavailable."""
        queue = listener_queue(f"{self._service}-{uuid4().hex}")
        lost = asyncio.Event()
        connection = RabbitConnection(
            url, f"{self._service} listener", Channel(), grace_s=0, on_lost=lambda _: lost.set()
        )

        async def prepare(broker: RabbitBroker) -> AbstractChannel:
            await declare_topology(broker, NO_QUEUES)
            return await consumed(
                broker, queue, _surviving(handle, event_type), AckPolicy.ACK_FIRST, envelope
            )

        try:
            await connection.open(prepare, within_s=ANSWER_S)
            self._binding = binding = Binding(connection, queue.name, event_type, lambda: self._wanted)
            await binding.follow()
            self._trouble.over()
            self._healthy = True
            self._backoff.reset()
            while True:
                await connection.ask(methodcaller("queue_declare", queue.name, passive=True))
                if not connection.consumers:
                    raise Unavailable("the consumer is gone")
                await binding.follow()
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_S):
                        await lost.wait()
        finally:
            self._healthy, self._binding = False, None
            # With a timeout, because closing a dead connection can take long.
            await asyncio.wait({asyncio.create_task(connection.close())}, timeout=_CLOSE_S)


class Binding:
    """Binds one queue to the exchange while notifications are wanted."""

    def __init__(
        self, connection: RabbitConnection, queue: str, event_type: str, wanted: Callable[[], bool]
    ) -> None:
        self._connection = connection
        self._queue = queue
        self._event_type = event_type
        self._wanted = wanted
        self._is_there: bool | None = False
        self._changing = asyncio.Lock()

    async def follow(self) -> None:
        """Binds or unbinds the queue if `wanted` has changed. Raises Unavailable if this fails."""
        if self._is_there is self._wanted() and not self._changing.locked():
            return
        async with self._changing:
            wanted = self._wanted()
            if self._is_there is not wanted:
                self._is_there = None  # If this call is cancelled now, the outcome stays unknown.
                change = "queue_bind" if wanted else "queue_unbind"
                await self._connection.ask(methodcaller(change, self._queue, EXCHANGE.name, self._event_type))
                self._is_there = wanted


def _surviving(handle: Callable[[bytes], None], event_type: str) -> Callable[[Envelope], Awaitable[None]]:
    async def hand_over(envelope: Envelope) -> None:
        if envelope.type != event_type:
            logger.warning("a notification was passed over: its routing key is %r", envelope.type)
            return
        try:
            handle(envelope.body)
        except Exception:
            logger.exception("a notification was not handled, it is lost")

    return hand_over

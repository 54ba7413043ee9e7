"""A service's session with one broker: one connection that publishes, and one that consumes."""

import asyncio
from collections.abc import Awaitable, Sequence

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import DeliveryError, PublishError
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker
from pamqp.commands import Basic
from yarl import URL

from kernel.adapters.rabbit.connection import ANSWER_S, RabbitConnection
from kernel.adapters.rabbit.consuming import consumed, envelope, told_apart
from kernel.adapters.rabbit.dead_letters import dead_letter
from kernel.adapters.rabbit.topology import EXCHANGE, dead_letter_queue, declare_topology, service_queue
from kernel.adapters.rabbit.urls import reason_of
from kernel.contracts.messaging import Catalog
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Bury, Envelope, Handler

CONTENT_TYPE = "application/cloudevents-batch+json"
PREFETCH_MESSAGES = 10  # of up to 200 events each
CONFIRM_S = 5.0
_MISSES_MAX = 3


class RabbitSession:
    def __init__(self, url: URL, service: str, catalog: Catalog, *, grace_s: float) -> None:
        self.lost = asyncio.Event()
        self.reason = Unavailable("a channel or the consumer is gone")
        self._url = url
        self._service = service
        self._catalog = catalog
        self._grace_s = grace_s
        # FastStream caches an exchange together with the channel that declared it first. With one broker
        # object, a publish might use the subscriber's channel, on which a returned message raises no error.
        self._publishing = self._connection("publisher", Channel(on_return_raises=True))
        self._consuming: RabbitConnection | None = None
        self._queues: list[str] = []
        """The names of the queues that are consumed."""
        self._misses = 0

    def _connection(self, role: str, channel: Channel) -> RabbitConnection:
        name = f"{self._service} {role}"
        return RabbitConnection(self._url, name, channel, grace_s=self._grace_s, on_lost=self._on_lost)

    def _on_lost(self, reason: Unavailable) -> None:
        if not self.lost.is_set():
            self.reason = reason
        self.lost.set()

    async def open(self, *, within_s: float) -> None:
        async def prepare(broker: RabbitBroker) -> AbstractChannel:
            self._exchange = await declare_topology(broker, self._catalog)
            return self._exchange.channel

        await self._publishing.open(prepare, within_s=within_s)

    async def consume(self, handler: Handler, bury: Bury | None) -> None:
        async def prepare(broker: RabbitBroker) -> AbstractChannel:
            policy = AckPolicy.NACK_ON_ERROR
            if bury is not None:
                await consumed(broker, dead_letter_queue(self._service), bury, policy, dead_letter)
            queue = service_queue(self._service)
            return await consumed(broker, queue, told_apart(handler), policy, envelope)

        letters = [dead_letter_queue(self._service).name] if bury is not None else []
        self._queues = [service_queue(self._service).name, *letters]
        self._consuming = self._connection("subscriber", Channel(prefetch_count=PREFETCH_MESSAGES))
        await self._consuming.open(prepare, within_s=ANSWER_S)

    async def pause(self) -> None:
        """Cancels the consumers. If the broker does not confirm, the session counts as lost. RabbitBus then
        opens a new session without consumers."""
        if self._consuming is not None:
            await self._or_lost(self._consuming.pause())

    async def resume(self, handler: Handler, bury: Bury | None) -> None:
        if self._consuming is None:
            await self.consume(handler, bury)
        else:
            await self._or_lost(self._consuming.resume())

    async def _or_lost(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Unavailable as error:
            self._on_lost(error)
            raise

    def is_intact(self, *, consuming: bool) -> bool:
        """Whether the connections and, if `consuming`, the consumers are there; does not ask the broker."""
        consumes = self._consuming is not None and self._consuming.consumers == len(self._queues)
        return self._publishing.is_open and not self.lost.is_set() and (consumes or not consuming)

    @property
    def is_blocked(self) -> bool:
        return self._publishing.is_blocked

    async def answers(self, *, consuming: bool) -> bool:
        """Asks the broker. False if a connection is half-open, or if a queue repeatedly has no consumer."""
        if not self.is_intact(consuming=consuming):
            return False
        try:
            await self._publisher_answers()
            if consuming and self._consuming is not None:
                counts = [await self._consumers_of(queue, self._consuming) for queue in self._queues]
                # For a short time, a quorum queue with a busy leader reports no consumers.
                self._misses = 0 if all(counts) else self._misses + 1
        except Unavailable as error:
            self._on_lost(error)
            return False
        return self._misses < _MISSES_MAX

    async def _consumers_of(self, queue: str, connection: RabbitConnection) -> int:
        found = await connection.ask(lambda channel: channel.queue_declare(queue, passive=True))
        return found.consumer_count or 0

    async def _publisher_answers(self) -> None:
        """Asks on the publishing connection, unless it is blocked, because a broker does not answer then."""
        try:
            if not self.is_blocked:
                await self._publishing.ask(
                    lambda channel: channel.exchange_declare(EXCHANGE.name, passive=True)
                )
        except Unavailable:
            if not self.is_blocked:
                raise

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        if len(envelopes) == 1:
            await self._deliver(envelopes[0])  # without a task it is sent one turn of the event loop earlier
            return
        outcomes = await asyncio.gather(*map(self._deliver, envelopes), return_exceptions=True)
        for error in filter(None, outcomes):
            raise error

    async def _deliver(self, envelope: Envelope) -> None:
        if not await self.notify(envelope) and self._catalog.subscribers_of(envelope.type):
            raise Unavailable(f"no queue takes {envelope.type}", code="rabbitmq_unavailable")

    async def notify(self, envelope: Envelope) -> bool:
        """Publishes the envelope. Returns whether a queue took it. Raises Unavailable if unconfirmed."""
        # FastStream's own `publish` takes twice as long: it looks up the exchange, and encodes the body.
        message = Message(envelope.body, content_type=CONTENT_TYPE, delivery_mode=DeliveryMode.PERSISTENT)
        try:
            async with asyncio.timeout(CONFIRM_S):
                outcome = await self._exchange.publish(message, envelope.type, mandatory=True)
        except PublishError:
            return False
        except (asyncio.CancelledError, Exception) as error:
            if _cancelled_by_us(error):
                raise
            raise _unconfirmed(envelope, error) from error
        if not isinstance(outcome, Basic.Ack):
            raise _unconfirmed(envelope, outcome)
        return True

    async def stop(self) -> None:
        """Stops consuming, then waits a limited time for running handlers and their acknowledgements."""
        if self._consuming is not None:
            await self._consuming.stop(within_s=self._grace_s + ANSWER_S)

    async def close(self) -> None:
        connections = [self._publishing] + ([self._consuming] if self._consuming else [])
        await asyncio.gather(*(connection.close() for connection in connections))


def _cancelled_by_us(error: BaseException) -> bool:
    """Whether our task was cancelled. aiormq also raises CancelledError when a connection is lost."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _unconfirmed(envelope: Envelope, outcome: object) -> Unavailable:
    if isinstance(outcome, DeliveryError):
        why = "a queue rejected it, probably because the queue is full"
    else:
        why = reason_of(outcome) if isinstance(outcome, BaseException) else type(outcome).__name__
    return Unavailable(f"rabbitmq did not confirm {envelope.type}: {why}", code="rabbitmq_unavailable")

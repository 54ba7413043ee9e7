"""The bus of the embedded shop. The relay calls the consumers directly, within one process."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import starmap
from typing import Self

from kernel.contracts.messaging import Catalog
from kernel.domain.errors import Unavailable
from kernel.ports.bus import UNREADABLE, Bury, ConsumerPaused, DeadLetter, Envelope, Handler, Unreadable

Listener = Callable[[bytes], None]

GRACE_S = 4.0

logger = logging.getLogger(__name__)


class InProcessBroker:
    """The broker of the services in one process. It stores no messages: they wait in their outbox."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.handlers: dict[str, Handler] = {}
        self.listeners: defaultdict[str, list[tuple[InProcessNotifications, Listener]]] = defaultdict(list)
        self.buried_by: dict[str, Bury] = {}
        self.paused: set[str] = set()


class InProcessBus:
    """The bus of one service in the embedded shop, which has no RabbitMQ."""

    def __init__(self, broker: InProcessBroker, service: str, *, grace_s: float = GRACE_S) -> None:
        """When the bus stops, running handlers have `grace_s` seconds to finish."""
        self._broker = broker
        self._service = service
        self._grace_s = grace_s
        self._running: set[asyncio.Task[None]] = set()

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Returns after all consumers have committed. The port promises less, so do not rely on it."""
        subscribers_of = self._broker.catalog.subscribers_of
        deliveries = [
            (consumer, envelope)
            for envelope in envelopes
            for consumer in ([envelope.to] if envelope.to else subscribers_of(envelope.type))
        ]
        outcomes = await asyncio.gather(*starmap(self._hand_over, deliveries), return_exceptions=True)
        failed = [(one, why) for (_, one), why in zip(deliveries, outcomes, strict=True) if why is not None]
        if failed:
            # A paused consumer is not a fault, so it is reported only if no other delivery failed.
            envelope, why = min(failed, key=lambda failure: isinstance(failure[1], ConsumerPaused))
            kind = ConsumerPaused if isinstance(why, ConsumerPaused) else Unavailable
            detail = f"{envelope.type} was not taken: {str(why) or 'its handler was cut off'}"
            raise kind(detail, code="consumer_unavailable") from why

    async def notify(self, envelope: Envelope) -> bool:
        wanting = [
            handle for notifications, handle in self._broker.listeners[envelope.type] if notifications.wanted
        ]
        for handle in wanting:
            try:
                handle(envelope.body)
            except Exception:
                logger.exception("a notification was not handled, it is lost")
        return bool(wanting)

    async def subscribe(self, handler: Handler, bury: Bury | None = None) -> None:
        """Without `bury`, a message that `handler` cannot read is lost, because the bus does not store it."""

        async def handle(body: bytes) -> None:
            task = asyncio.ensure_future(handler(body))
            self._running.add(task)
            try:
                await task
            finally:
                self._running.discard(task)

        self._broker.handlers[self._service] = handle
        if bury is not None:
            self._broker.buried_by[self._service] = bury

    @property
    def system(self) -> str:
        return "in_process"

    @property
    def healthy(self) -> bool:
        return True

    def consumers(self, event_type: str) -> Sequence[str]:
        subscribers = self._broker.catalog.subscribers_of(event_type)
        return subscribers if len(subscribers) > 1 else ()

    async def pause(self) -> None:
        self._broker.paused.add(self._service)

    async def resume(self) -> None:
        self._broker.paused.discard(self._service)

    async def stop(self) -> None:
        """Accepts no more messages, and waits for running handlers. Handlers that take too long are
        cancelled; their messages stay in the publisher's outbox."""
        self._broker.handlers.pop(self._service, None)
        if self._running:
            _, pending = await asyncio.wait(self._running, timeout=self._grace_s)
            for task in pending:
                task.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _hand_over(self, consumer: str, envelope: Envelope) -> None:
        if consumer in self._broker.paused:
            raise ConsumerPaused(f"{consumer} is paused")
        handler = self._broker.handlers.get(consumer)
        if handler is None:
            raise Unavailable(f"{consumer} is not subscribed")
        try:
            await handler(envelope.body)
        except Unreadable as error:
            logger.warning("dead-lettered: %s", error)
            if bury := self._broker.buried_by.get(consumer):
                await bury(DeadLetter(envelope.body, envelope.type, UNREADABLE))
        except Exception:
            logger.exception("a message was not handled, it will be delivered again")
            raise


class InProcessNotifications:
    @property
    def healthy(self) -> bool:
        return True

    def __init__(self, broker: InProcessBroker) -> None:
        self.wanted = False
        self._broker = broker

    async def listen(self, event_type: str, handle: Listener) -> None:
        listeners = self._broker.listeners[event_type]
        listeners.append((self, handle))
        try:
            await asyncio.Event().wait()
        finally:
            listeners.remove((self, handle))

    async def want(self, wanted: bool) -> None:
        self.wanted = wanted

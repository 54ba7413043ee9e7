"""A simulated bus with queues. It delivers confirmed messages at least once, and promises nothing more."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope, Handler, Unreadable
from tests.catalog import CATALOG
from tests.simulation.faults import Faults
from tests.simulation.process import Process

NO_QUEUE = "there is no queue for it"


@dataclass(slots=True, eq=False)
class Message:
    service: str
    body: bytes
    holder: Process | None = None
    deliveries_count: int = 0


class Broker:
    """Its queues are there from the first subscription on; `settled` is called with each message that is
    gone."""

    def __init__(self, faults: Faults, settled: Callable[[], None]) -> None:
        self.queues: dict[str, dict[Message, None]] = {}
        self.dead_letters: list[bytes] = []
        self.published: list[bytes] = []
        self.destroyed_count = 0
        self.redeliveries_count = 0
        self._consumers: dict[str, list[tuple[Process, Handler]]] = {}
        self._faults = faults
        self._settled = settled

    async def hold(self, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            for service in CATALOG.subscribers_of(envelope.type):
                if service not in self.queues:
                    raise Unavailable(NO_QUEUE)
                self.put(service, envelope.body)

    def put(self, service: str, body: bytes) -> None:
        self.published.append(body)
        if self._faults.destroys():
            self.destroyed_count += 1
            return
        queue = self.queues.setdefault(service, {})
        for _ in range(self._faults.copies()):
            message = Message(service, body)
            queue[message] = None
            self._send(message)

    def subscribe(self, process: Process, service: str, handler: Handler) -> None:
        self.queues.setdefault(service, {})
        self._consumers.setdefault(service, []).append((process, handler))
        for message in self.queues[service]:
            self._send(message)

    def connection_lost(self, process: Process) -> None:
        for service, consumers in self._consumers.items():
            self._consumers[service] = [(p, handler) for p, handler in consumers if p is not process]
        for queue in self.queues.values():
            for message in queue:
                if message.holder is process:
                    self._give_back(message)

    def _give_back(self, message: Message) -> None:
        message.holder = None
        self._send(message)

    def _send(self, message: Message) -> None:
        asyncio.get_running_loop().call_later(self._faults.travel_s(), self._deliver, message)

    def _deliver(self, message: Message) -> None:
        consumers = self._consumers.get(message.service, [])
        if not consumers or message.holder is not None or message not in self.queues[message.service]:
            return
        process, handler = self._faults.rng.choice(consumers)
        message.holder = process
        self.redeliveries_count += message.deliveries_count > 0
        message.deliveries_count += 1
        process.spawn(self._hand_over(message, process, handler))

    async def _hand_over(self, message: Message, process: Process, handler: Handler) -> None:
        try:
            await process.call("bus.deliver", partial(handler, message.body))
        except Unreadable:
            self.dead_letters.append(message.body)
        except Exception:
            return self._give_back(message)
        try:
            await process.call("bus.acknowledge", partial(self._acknowledged, message))
        except Unavailable:
            self._give_back(message)

    async def _acknowledged(self, message: Message) -> None:
        self.queues[message.service].pop(message, None)
        self._settled()


class SimPublisher:
    def __init__(self, broker: Broker, process: Process) -> None:
        self._broker = broker
        self._process = process

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        await self._process.call("bus.publish", partial(self._broker.hold, envelopes))

"""What runs beside the requests of a service: its relays and its housekeeping."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TypeVar

from dishka import AsyncContainer

from kernel.adapters.cloudevents import unhandled_letter
from kernel.adapters.sources import under_its_type
from kernel.adapters.telemetry.messaging import MessagingMetrics
from kernel.adapters.telemetry.metrics import StoreMetrics
from kernel.application.bury_letters import BuryLetters
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.fan_out import ForConsumer, RelayToConsumer
from kernel.application.housekeeping import Periodically, PruneInbox
from kernel.application.intake import Intake
from kernel.application.relay import PublishCommitted, Relay, RelayBuffer, RelayEvents
from kernel.application.replay import HandleLetters, HandleReplayed
from kernel.application.watchdog import Watchdog
from kernel.application.work_off import WorkOff
from kernel.domain.events import Event
from kernel.ports.bus import Bus, Handler
from kernel.ports.clock import Clock
from kernel.ports.outbox import OutboxRow
from kernel.wiring.use_cases import scoped

PRUNE_EVERY_S = 10.0
LOOK_EVERY_S = 1.0
WORK_OFF_EVERY_S = 1.0

E = TypeVar("E", bound=Event)


class RelayDispatcher:
    """Hands what was committed to the relays of its type."""

    def __init__(self) -> None:
        self._of_type: dict[str, Sequence[RelayBuffer]] = {}

    def __call__(self, row: OutboxRow) -> None:
        for buffer in self._of_type.get(row.type, ()):
            buffer.add(row)

    def hand_to(self, event_type: str, buffers: Sequence[RelayBuffer]) -> None:
        self._of_type[event_type] = buffers


async def subscribed(container: AsyncContainer, store: StoreMetrics, consumer: type[Consumer[E]]) -> Handler:
    """From now on the consumer is handed the messages of its service, and dead letters are parked; nothing of
    that where it is paused. The answer is for the relays, by which operators hand it messages again."""
    watchdog, bus = await container.get(Watchdog), await container.get(Bus)
    measured = await container.get(MessagingMetrics)
    handler = watchdog.handling(measured.handler(await container.get(consumer)))
    bury = BuryLetters(unhandled_letter, scoped(container, ParkMessage), await container.get(Clock))
    await (await container.get(Intake)).look()
    await bus.subscribe(handler, store.burying(bury))
    return handler


async def relays(
    container: AsyncContainer, types: Iterable[str], store: StoreMetrics, consumer: Handler
) -> list[Relay]:
    """Two a type that the service publishes, for what is committed here and for what was left behind: a type
    that cannot be published holds up no other. Where the bus asks for it, two for each consumer of the type.
    And two for what goes back to the service's own consumer by an operator's order."""
    publish_committed = store.publishing(scoped(container, PublishCommitted))
    relay_events = store.publishing(scoped(container, RelayEvents))
    relay_to_consumer = store.publishing(scoped(container, RelayToConsumer))
    dispatcher, clock = await container.get(RelayDispatcher), await container.get(Clock)
    bus, intake = await container.get(Bus), await container.get(Intake)
    replayed, letters = scoped(container, HandleReplayed), scoped(container, HandleLetters)
    relays = [
        Relay(partial(intake.unless_paused(replayed), consumer), clock),
        Relay(partial(intake.unless_paused(letters), under_its_type(consumer)), clock),
    ]
    for name in types:
        each = ForConsumer.each(bus.consumers(name))
        relays += [Relay(partial(relay_to_consumer, name, one), clock) for one in each]
        if not each:
            relays.append(Relay(partial(relay_events, name), clock))
        buffers: Sequence[RelayBuffer] = each or [RelayBuffer()]
        dispatcher.hand_to(name, buffers)
        for one in buffers:
            publish = partial(publish_committed, name, one)
            relays.append(Relay(publish, clock, wake=one.added, polls=False))
    return relays


async def housekeeping(container: AsyncContainer) -> list[Periodically]:
    watchdog, clock = await container.get(Watchdog), await container.get(Clock)
    return [
        Periodically(scoped(container, PruneInbox), PRUNE_EVERY_S, clock),
        Periodically(scoped(container, WorkOff), WORK_OFF_EVERY_S, clock),
        Periodically(watchdog.look, LOOK_EVERY_S, clock),
    ]

"""Assembles the background work of a service: its consumer, relays and periodic jobs."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import ParamSpec, TypeVar

from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.cloudevents import unhandled_letter
from kernel.adapters.lanes.consuming import ConsumerOfLanes
from kernel.adapters.postgres.connections.pool import PatientPool, pool_of
from kernel.adapters.sources import under_its_type
from kernel.adapters.telemetry.messaging import MessagingMetrics
from kernel.adapters.telemetry.metrics import StoreMetrics
from kernel.application.bury_letters import BuryLetters
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.fan_out import ForConsumer, RelayToConsumer
from kernel.application.housekeeping import Periodically, PruneInbox
from kernel.application.intake import Intake
from kernel.application.poll import POLL_EVERY_S, PollOutbox
from kernel.application.relay import PublishCommitted, RelayBuffer, RelayEvents
from kernel.application.relay_loop import Relay
from kernel.application.replay import LETTERS, REPLAYED, HandleLetters, HandleReplayed
from kernel.application.set_aside import HandBack, SetAside, Turns, aside
from kernel.application.watchdog import Watchdog
from kernel.application.work_off import WorkOff
from kernel.domain.errors import Unavailable
from kernel.domain.events import Event
from kernel.ports.bus import Bus, Handler
from kernel.ports.clock import Clock
from kernel.ports.outbox import OutboxRow
from kernel.wiring.lanes import Lanes
from kernel.wiring.use_cases import UseCase, scoped

PRUNE_EVERY_S = 10.0
LOOK_EVERY_S = 1.0
WORK_OFF_EVERY_S = 1.0
# Slightly less than PostgreSQL lets a transaction be idle (idle_in_transaction_session_timeout).
TURN_MAX_S = 9.0

E = TypeVar("E", bound=Event)
P = ParamSpec("P")
R = TypeVar("R")


class RelayDispatcher:
    """Hands rows that were committed in a lane to the relays of their type."""

    def __init__(self) -> None:
        self._of_type: dict[str, Sequence[RelayBuffer]] = {}
        self.of_left_behind: dict[str, Sequence[Relay]] = {}
        """By event type, the relays that are woken when a poll finds rows in the outbox."""

    def __call__(self, row: OutboxRow) -> None:
        for buffer in self._of_type.get(row.type, ()):
            buffer.add(row)

    def hand_to(self, event_type: str, buffers: Sequence[RelayBuffer]) -> None:
        self._of_type[event_type] = buffers


async def subscribed(container: AsyncContainer, store: StoreMetrics, consumer: type[Consumer[E]]) -> Handler:
    """Subscribes the consumer to the messages of its service, unless it is paused, and parks dead letters.
    Returns the consumer's handler, to which relays hand replayed messages."""
    watchdog, bus = await container.get(Watchdog), await container.get(Bus)
    measured, lanes = await container.get(MessagingMetrics), await container.get(Lanes)
    set_aside = [scoped(lane, SetAside) for lane in lanes.containers if lanes.servers > 1]
    join = partial(ConsumerOfLanes, set_aside=set_aside, is_lost=lanes.is_lost)
    of_all_lanes = await lanes.over_all(consumer, join)
    handler = watchdog.handling(measured.handler(of_all_lanes))
    bury = BuryLetters(unhandled_letter, scoped(lanes.first, ParkMessage), await container.get(Clock))
    if not lanes.is_lost(0):  # Lane 0 keeps the pauses. Without it, the other lanes go on.
        await (await container.get(Intake)).look()
    await bus.subscribe(handler, store.burying(bury))
    return handler


async def relays(
    container: AsyncContainer, types: Iterable[str], store: StoreMetrics, consumer: Handler
) -> list[Relay]:
    """Returns the relays of all lanes."""
    types, lanes = tuple(types), await container.get(Lanes)
    turns = defaultdict[PatientPool, asyncio.Lock](asyncio.Lock)
    found = []
    for lane in lanes.containers:
        turn = turns[pool_of(await lane.get(AsyncEngine))]
        found += await _relays_of_lane(lane, types, store, consumer, turn)
        if len(lanes.containers) > 1:
            found.append(await _relay_back(lanes, lane, consumer, turn))
    return found


async def _relay_back(lanes: Lanes, lane: AsyncContainer, consumer: Handler, turn: asyncio.Lock) -> Relay:
    """Returns the relay that hands back the events kept in this lane for others (application/set_aside.py).

    With one server no lane keeps such events, so nothing polls for them. The relay still looks once, at its
    start, because the lanes may have been on several servers before.
    """
    intake, clock = await lane.get(Intake), await lane.get(Clock)
    hand_back = in_turn(scoped(lane, HandBack), turn)
    count = len(lanes.containers)
    relay = Relay(partial(intake.unless_paused(hand_back), consumer, Turns(count, lanes.is_lost)), clock)
    if lanes.servers > 1:
        found = (await lane.get(RelayDispatcher)).of_left_behind
        found.update((aside(number), [relay]) for number in range(count))
    return relay


async def _relays_of_lane(
    container: AsyncContainer,
    types: Iterable[str],
    store: StoreMetrics,
    consumer: Handler,
    turn: asyncio.Lock,
) -> list[Relay]:
    """Returns the relays of one lane. Each published type has a relay for rows committed here and one for
    left-behind rows, so that a type that cannot be published holds up no other. If the bus asks for it, each
    consumer of a type has these two. Replayed events and dead letters have a relay each. A replay holds a
    connection while the consumer needs another one, so the lanes of a server take turns."""
    publish_committed = store.publishing(scoped(container, PublishCommitted))
    relay_events = store.publishing(scoped(container, RelayEvents))
    relay_to_consumer = store.publishing(scoped(container, RelayToConsumer))
    dispatcher, clock = await container.get(RelayDispatcher), await container.get(Clock)
    bus, intake = await container.get(Bus), await container.get(Intake)
    replayed, letters = scoped(container, HandleReplayed), scoped(container, HandleLetters)
    found = dispatcher.of_left_behind
    found[REPLAYED] = [Relay(partial(intake.unless_paused(in_turn(replayed, turn)), consumer), clock)]
    found[LETTERS] = [Relay(partial(intake.unless_paused(letters), under_its_type(consumer)), clock)]
    relays = []
    for name in types:
        each = ForConsumer.each(bus.consumers(name))
        found[name] = [Relay(partial(relay_to_consumer, name, one), clock) for one in each] or [
            Relay(partial(relay_events, name), clock)
        ]
        buffers: Sequence[RelayBuffer] = each or [RelayBuffer()]
        dispatcher.hand_to(name, buffers)
        for one in buffers:
            publish = partial(publish_committed, name, one)
            relays.append(Relay(publish, clock, wake=one.added))
    return relays + [relay for of_type in found.values() for relay in of_type]


def in_turn(act: Callable[P, Awaitable[R]], turn: asyncio.Lock) -> Callable[P, Awaitable[R]]:
    """Wraps `act` so that it runs once at a time. Each run ends after TURN_MAX_S at the latest, because a
    lane that makes no progress must not hold up the others."""

    async def act_alone(*args: P.args, **kwargs: P.kwargs) -> R:
        async with turn:
            try:
                async with asyncio.timeout(TURN_MAX_S):
                    return await act(*args, **kwargs)
            except TimeoutError as error:
                raise Unavailable("a lane did not handle its events in time") from error

    return act_alone


async def housekeeping(container: AsyncContainer) -> list[Periodically]:
    watchdog, clock = await container.get(Watchdog), await container.get(Clock)
    lanes = await container.get(Lanes)
    polls = [
        partial(scoped(lane, PollOutbox), (await lane.get(RelayDispatcher)).of_left_behind)
        for lane in lanes.containers
    ]
    return [
        *(Periodically(poll, POLL_EVERY_S, clock) for poll in polls),
        *await in_each_lane(container, PruneInbox, PRUNE_EVERY_S),
        *await in_each_lane(container, WorkOff, WORK_OFF_EVERY_S),
        Periodically(watchdog.look, LOOK_EVERY_S, clock),
    ]


async def in_each_lane(
    container: AsyncContainer, job: type[UseCase[[], bool]], every_s: float
) -> list[Periodically]:
    lanes, clock = await container.get(Lanes), await container.get(Clock)
    return [Periodically(scoped(lane, job), every_s, clock) for lane in lanes.containers]

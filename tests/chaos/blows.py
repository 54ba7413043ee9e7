"""Inflicts each kind of fault on a running shop, and ends the fault."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random

from tests.chaos.messages import Tap
from tests.chaos.shop import REPLICAS, ChaosShop
from tests.servers.cable import Cable, Way
from tests.servers.database import ReplicatedDatabase
from tests.servers.process import eventually
from tests.servers.rabbit_cluster import RabbitCluster
from tests.servers.rabbitmq import PrivateRabbitMQ

BROKER_STARTS_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Scene:
    """The parts of a run that faults act on: the shop and its messages."""

    shop: ChaosShop
    tap: Tap
    cluster: RabbitCluster | None = None


@dataclass(frozen=True, slots=True)
class Blow:
    """One fault: its target, its duration, and a random generator for its details."""

    target: str
    seconds: float
    dice: Random


Act = Callable[[Scene, Blow], Awaitable[None]]
"""Inflicts the fault, and ends it. Raises NotNow if other faults make it impossible now."""


async def kill(scene: Scene, blow: Blow) -> None:
    replica = scene.shop.replicas[blow.target]
    replica.kill()
    await asyncio.sleep(blow.seconds / 4)
    replica.release()


async def freeze(scene: Scene, blow: Blow) -> None:
    """Stops the process with SIGSTOP, and lets it continue later."""
    process = scene.shop.replicas[blow.target].process
    await eventually(lambda: process.runs, within=30)
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(blow.seconds)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def rolling_restart(scene: Scene, blow: Blow) -> None:
    for replica in scene.shop.replicas_of(blow.target):
        await eventually(lambda replica=replica: replica.process.runs, within=30)
        await replica.terminate()
        replica.release()
        await asyncio.sleep(1 + blow.seconds / 4)  # A release takes its time between replicas.


async def restart_broker(scene: Scene, blow: Blow) -> None:
    node = node_called(scene, blow.target)
    # In a thread, because the node takes a second to stop, and the event loop must not wait.
    await asyncio.to_thread(node.stop)
    await come_back(node, blow.seconds / 4)


async def kill_broker(scene: Scene, blow: Blow) -> None:
    node = node_called(scene, blow.target)
    node.kill()
    await come_back(node, blow.seconds / 4)


async def kill_leader(scene: Scene, blow: Blow) -> None:
    cluster = scene.cluster
    assert cluster is not None
    node = await eventually(lambda: cluster.leader_of(blow.target), within=BROKER_STARTS_WITHIN_S, every=1)
    node.kill()
    await come_back(node, blow.seconds)


async def come_back(node: PrivateRabbitMQ, after_s: float) -> None:
    await asyncio.sleep(after_s)
    node.begin()
    await eventually(lambda: asyncio.to_thread(node.answers), within=BROKER_STARTS_WITHIN_S, every=0.2)


def node_called(scene: Scene, name: str) -> PrivateRabbitMQ:
    return next(node for node in scene.shop.brokers if node.node == name)


async def crash_database(scene: Scene, blow: Blow) -> None:
    database = scene.shop.databases[blow.target]
    await database.crash()
    await asyncio.sleep(blow.seconds / 4)
    await database.start()
    scene.shop.database_moved(blow.target)


async def fail_over(scene: Scene, blow: Blow) -> None:
    """Fails over to the standby: the primary's machine refuses connections, or does not answer at all."""
    shop, database = scene.shop, scene.shop.databases[blow.target]
    assert isinstance(database, ReplicatedDatabase)
    trouble = blow.dice.choice((Cable.away, Cable.stalled))
    async with AsyncExitStack() as troubles:
        for line in shop.lines_to_database(blow.target):
            await troubles.enter_async_context(trouble(line[database.primary]))
        await database.crash()
        await asyncio.sleep(blow.seconds / 4)
        await database.promote()
        await asyncio.sleep(blow.seconds / 2)
        await database.add_standby()
        shop.database_moved(blow.target)


async def switch_over(scene: Scene, blow: Blow) -> None:
    """Switches a database over and back. Each former primary answers reads until it becomes the standby."""
    database = scene.shop.databases[blow.target]
    assert isinstance(database, ReplicatedDatabase)
    for _ in range(2):
        await database.switch_over()
        await asyncio.sleep(blow.seconds / 4)
        await database.rewind()
        scene.shop.database_moved(blow.target)


def on_line(trouble: Callable[[Cable, Random], AbstractAsyncContextManager[None]]) -> Act:
    async def act(scene: Scene, blow: Blow) -> None:
        async with AsyncExitStack() as troubles:
            for cable in scene.shop.lines[blow.target]:
                await troubles.enter_async_context(trouble(cable, blow.dice))
            await asyncio.sleep(blow.seconds)

    return act


@asynccontextmanager
async def dropped(cable: Cable) -> AsyncIterator[None]:
    cable.drop()
    yield


def cut(cable: Cable, dice: Random) -> AbstractAsyncContextManager[None]:
    return cable.away() if dice.random() < 0.5 else dropped(cable)


def stalled(cable: Cable, dice: Random) -> AbstractAsyncContextManager[None]:
    return cable.stalled()


def delayed(cable: Cable, dice: Random) -> AbstractAsyncContextManager[None]:
    return cable.delayed(dice.uniform(0.05, 0.5))


def half_open(cable: Cable, dice: Random) -> AbstractAsyncContextManager[None]:
    return cable.half_open(dice.choice(list(Way)))


async def backlog(scene: Scene, blow: Blow) -> None:
    """Lets unpublished events pile up. Then the relays of both replicas publish them concurrently."""
    async with AsyncExitStack() as stack:
        for replica in REPLICAS[blow.target]:
            for cable in scene.shop.lines[f"{replica} to broker"]:
                await stack.enter_async_context(cable.away())
        await asyncio.sleep(blow.seconds)


async def duplicates(scene: Scene, blow: Blow) -> None:
    await scene.tap.repeat(blow.dice, in_order=True)


async def reordered(scene: Scene, blow: Blow) -> None:
    await scene.tap.repeat(blow.dice, in_order=False)


async def ten_times(scene: Scene, blow: Blow) -> None:
    await scene.tap.repeat(blow.dice, times=10, count=1, in_order=True)

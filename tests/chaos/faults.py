"""What goes wrong: each kind of fault, what it may hit, and how it is done to a running shop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random

from tests.chaos.messages import Tap
from tests.chaos.shop import REPLICAS, ChaosShop
from tests.servers.cable import Cable, Way
from tests.servers.database import ReplicatedDatabase
from tests.servers.rabbit_cluster import RabbitCluster
from tests.servers.rabbitmq import PrivateRabbitMQ
from tests.servers.shop import eventually

BROKER_STARTS_WITHIN_S = 60


@dataclass
class Scene:
    """What a fault is done to; `dice` decide what the plan leaves open."""

    shop: ChaosShop
    tap: Tap
    dice: Random
    cluster: RabbitCluster | None = None


Act = Callable[[Scene, str, float], Awaitable[None]]
"""Does it to the target for about so many seconds, and undoes it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`targets` names what it may hit in this shop; two faults never hit the same target at once.

    It lasts a `share_min` of the longest that the faults of a round last, or more. Of the kinds with the same
    `quorum` one comes after the other, whatever their targets, for a cluster lives with one node less only.
    """

    name: str
    targets: Callable[[Scene], Iterable[str]]
    act: Act
    share_min: float = 0.1
    quorum: str = ""


def replicas(scene: Scene) -> Iterable[str]:
    return scene.shop.replicas


def lines(scene: Scene) -> Iterable[str]:
    return scene.shop.lines


def databases(scene: Scene) -> Iterable[str]:
    return [n for n, found in scene.shop.databases.items() if not isinstance(found, ReplicatedDatabase)]


def replicated(scene: Scene) -> Iterable[str]:
    return [n for n, found in scene.shop.databases.items() if isinstance(found, ReplicatedDatabase)]


def brokers(scene: Scene) -> Iterable[str]:
    return [node.node for node in scene.shop.brokers]


def services(scene: Scene) -> Iterable[str]:
    return REPLICAS


async def kill(scene: Scene, target: str, seconds: float) -> None:
    replica = scene.shop.replicas[target]
    replica.kill()
    await asyncio.sleep(seconds / 4)
    replica.release()


async def freeze(scene: Scene, target: str, seconds: float) -> None:
    """The machine forgets the process, and then it goes on as if nothing had been."""
    process = scene.shop.replicas[target].process
    await eventually(lambda: process.runs, within=30)
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def rolling_restart(scene: Scene, target: str, seconds: float) -> None:
    for replica in scene.shop.replicas_of(target):
        await eventually(lambda replica=replica: replica.process.runs, within=30)
        await replica.terminate()
        replica.release()
        await asyncio.sleep(1 + seconds / 4)


async def restart_broker(scene: Scene, target: str, seconds: float) -> None:
    node = node_called(scene, target)
    # In a thread, for the node takes a second to end, and everything else goes on meanwhile.
    await asyncio.to_thread(node.stop)
    await come_back(node, seconds / 4)


async def kill_broker(scene: Scene, target: str, seconds: float) -> None:
    node = node_called(scene, target)
    node.kill()
    await come_back(node, seconds / 4)


async def kill_leader(scene: Scene, target: str, seconds: float) -> None:
    cluster = scene.cluster
    assert cluster is not None
    node = await eventually(lambda: cluster.leader_of(target), within=BROKER_STARTS_WITHIN_S, every=1)
    node.kill()
    await come_back(node, seconds)


async def come_back(node: PrivateRabbitMQ, after_s: float) -> None:
    await asyncio.sleep(after_s)
    node.begin()
    await eventually(lambda: asyncio.to_thread(node.answers), within=BROKER_STARTS_WITHIN_S, every=0.2)


def node_called(scene: Scene, name: str) -> PrivateRabbitMQ:
    return next(node for node in scene.shop.brokers if node.node == name)


async def crash_database(scene: Scene, target: str, seconds: float) -> None:
    database = scene.shop.databases[target]
    await database.crash()
    await asyncio.sleep(seconds / 4)
    await database.start()
    scene.shop.database_moved(target)


async def fail_over(scene: Scene, target: str, seconds: float) -> None:
    database = scene.shop.databases[target]
    assert isinstance(database, ReplicatedDatabase)
    await database.crash()
    await asyncio.sleep(seconds / 4)
    await database.promote()
    await asyncio.sleep(seconds / 2)
    await database.add_standby()
    scene.shop.database_moved(target)


def on_line(trouble: Callable[[Scene, Cable], AbstractAsyncContextManager[None]]) -> Act:
    async def act(scene: Scene, target: str, seconds: float) -> None:
        async with AsyncExitStack() as troubles:
            for cable in scene.shop.lines[target]:
                await troubles.enter_async_context(trouble(scene, cable))
            await asyncio.sleep(seconds)

    return act


@asynccontextmanager
async def dropped(scene: Scene, cable: Cable) -> AsyncIterator[None]:
    cable.drop()
    yield


def cut(scene: Scene, cable: Cable) -> AbstractAsyncContextManager[None]:
    return cable.away() if scene.dice.random() < 0.5 else dropped(scene, cable)


def stalled(scene: Scene, cable: Cable) -> AbstractAsyncContextManager[None]:
    return cable.stalled()


def delayed(scene: Scene, cable: Cable) -> AbstractAsyncContextManager[None]:
    return cable.delayed(scene.dice.uniform(0.05, 0.5))


def half_open(scene: Scene, cable: Cable) -> AbstractAsyncContextManager[None]:
    return cable.half_open(scene.dice.choice(list(Way)))


async def backlog(scene: Scene, target: str, seconds: float) -> None:
    """What a service cannot publish heaps up, and then both replicas' relays fall upon it."""
    async with AsyncExitStack() as stack:
        for replica in REPLICAS[target]:
            for cable in scene.shop.lines[f"{replica} to broker"]:
                await stack.enter_async_context(cable.away())
        await asyncio.sleep(seconds)


async def duplicates(scene: Scene, target: str, seconds: float) -> None:
    await scene.tap.repeat(scene.dice, in_order=True)


async def reordered(scene: Scene, target: str, seconds: float) -> None:
    await scene.tap.repeat(scene.dice, in_order=False)


async def ten_times(scene: Scene, target: str, seconds: float) -> None:
    await scene.tap.repeat(scene.dice, times=10, count=1, in_order=True)


def exchange(scene: Scene) -> Iterable[str]:
    return ["the exchange"]


def queues(scene: Scene) -> Iterable[str]:
    return REPLICAS if scene.cluster is not None else []


KINDS = {
    kind.name: kind
    for kind in (
        Kind("kill", replicas, kill),
        Kind("freeze", replicas, freeze, share_min=1.0),
        Kind("rolling restart", services, rolling_restart),
        Kind("broker restart", brokers, restart_broker, quorum="brokers"),
        Kind("broker kill", brokers, kill_broker, quorum="brokers"),
        Kind("broker leader kill", queues, kill_leader, quorum="brokers"),
        Kind("database crash", databases, crash_database),
        Kind("database failover", replicated, fail_over),
        Kind("cut", lines, on_line(cut)),
        Kind("stall", lines, on_line(stalled)),
        Kind("delay", lines, on_line(delayed)),
        Kind("half-open", lines, on_line(half_open)),
        Kind("backlog", services, backlog),
        Kind("duplicates", exchange, duplicates),
        Kind("reordered", exchange, reordered),
        Kind("ten times", exchange, ten_times),
    )
}

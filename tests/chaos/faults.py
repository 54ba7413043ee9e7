"""Every kind of fault, and the parts of the shop that it may hit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.chaos import blows
from tests.chaos.blows import Act, Scene, on_line
from tests.chaos.shop import REPLICAS
from tests.servers.database import ReplicatedDatabase


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


def exchange(scene: Scene) -> Iterable[str]:
    return ["the exchange"]


def queues(scene: Scene) -> Iterable[str]:
    return REPLICAS if scene.cluster is not None else []


KINDS = {
    kind.name: kind
    for kind in (
        Kind("kill", replicas, blows.kill),
        Kind("freeze", replicas, blows.freeze, share_min=1.0),
        Kind("rolling restart", services, blows.rolling_restart),
        Kind("broker restart", brokers, blows.restart_broker, quorum="brokers"),
        Kind("broker kill", brokers, blows.kill_broker, quorum="brokers"),
        Kind("broker leader kill", queues, blows.kill_leader, quorum="brokers"),
        Kind("database crash", databases, blows.crash_database),
        Kind("database failover", replicated, blows.fail_over),
        Kind("database switchover", replicated, blows.switch_over),
        Kind("cut", lines, on_line(blows.cut)),
        Kind("stall", lines, on_line(blows.stalled)),
        Kind("delay", lines, on_line(blows.delayed)),
        Kind("half-open", lines, on_line(blows.half_open)),
        Kind("backlog", services, blows.backlog),
        Kind("duplicates", exchange, blows.duplicates),
        Kind("reordered", exchange, blows.reordered),
        Kind("ten times", exchange, blows.ten_times),
    )
}

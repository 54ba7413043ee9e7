"""Runs a random plan of faults, drawn from a seed, against a shop under load, and checks the result."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import aiohttp

from tests.chaos.blows import Blow, Scene
from tests.chaos.clients import Clients
from tests.chaos.faults import KINDS, Kind
from tests.chaos.history import History
from tests.chaos.hostile import Hostile
from tests.chaos.messages import NotNow, Poisoner, Tap
from tests.chaos.shop import ChaosShop
from tests.chaos.stranger import Stranger
from tests.chaos.verdict import Verdict, get
from tests.servers.process import eventually
from tests.servers.rabbit_cluster import RabbitCluster

# The longest time to a decision once the servers answer again, as promised.
DECIDED_WITHIN_S = 10.0
LATE_S_MAX = 60.0
CLIENTS_END_WITHIN_S = 120

UNDER_WAY = ("NEW", "REFUNDING")

# A callback that is called with a text about the present step.
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fault:
    at_s: float
    kind: Kind
    blow: Blow

    def __str__(self) -> str:
        return f"{self.kind.name}: {self.blow.target}"


@dataclass
class Chaos:
    """One shop and its clients, round after round; `history` tells what was broken."""

    shop: ChaosShop
    seed: str
    kinds: Sequence[str]
    fault_s_max: float
    fault_every_s: float
    cluster: RabbitCluster | None = None
    report: Report = lambda line: None
    history: History = field(default_factory=History)
    faults: Counter[str] = field(default_factory=Counter)
    decided_within_s: float = 0.0

    def __post_init__(self) -> None:
        self.tap = Tap(self.shop.broker_urls)
        self.poisoner = Poisoner(self.shop.broker_urls, self.seed)
        self.hostile = Hostile(self.shop, self.seed)
        self.stranger = Stranger(self.shop, self.seed, self.history)
        self._dice = Random(f"{self.seed} faults")
        self._targets: defaultdict[object, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._going_on: list[str] = []
        self._scene = Scene(self.shop, self.tap, self.cluster)
        self._rounds = 0

    async def round(self, seconds: float) -> None:
        """Faults and load for so many seconds, then peace, and the verdict on all rounds so far."""
        self._rounds += 1
        clients = Clients(self.shop, f"{self.seed}-{self._rounds}", self.history)
        shopping = asyncio.create_task(clients.run())
        others = [
            asyncio.create_task(run())
            for run in (self.tap.run, self.poisoner.run, self.hostile.run, self.stranger.run)
        ]
        try:
            async with asyncio.TaskGroup() as group:
                over_at = time.monotonic() + seconds
                for fault in self.plan(seconds):
                    group.create_task(self._happen(fault, over_at))
                await asyncio.sleep(seconds)
        finally:
            clients.stop()
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        self.report("the servers come back")
        try:
            await self.shop.healthy()
            await self._all_decided()
            async with asyncio.timeout(CLIENTS_END_WITHIN_S):
                await shopping
            # The orders that the last clients placed meanwhile.
            await self._all_decided()
            self.report("going through the books")
            await self.verify()
        except (AssertionError, TimeoutError, aiohttp.ClientError) as error:
            self.history.violates(f"the shop did not recover: {error!r}")
        finally:
            shopping.cancel()

    async def verify(self) -> None:
        """Compares the stored data with the clients' answers. Each difference is a violation in `history`."""
        await Verdict(self.shop, self.history, self.poisoner).check()

    def plan(self, seconds: float) -> list[Fault]:
        """Draws faults for a round. All kinds occur once before a kind is repeated."""
        found: list[Fault] = []
        deck: list[Kind] = []
        # RabbitMQ 3.10 loses a quorum queue that it is killed with in the first second of its life.
        at_s = 1.0
        fault_s_max = min(self.fault_s_max, seconds / 3)
        while at_s < seconds - fault_s_max / 2:
            if not deck:
                deck = [KINDS[name] for name in self.kinds if list(KINDS[name].targets(self._scene))]
                self._dice.shuffle(deck)
            kind = deck.pop()
            target = self._dice.choice(list(kind.targets(self._scene)))
            longest_s = min(fault_s_max, seconds - at_s)
            # Mostly short, now and then longer than every timeout.
            share = max(kind.share_min, self._dice.random() ** 2)
            blow = Blow(target, share * longest_s, Random(self._dice.random()))
            found.append(Fault(at_s, kind, blow))
            at_s += self._dice.uniform(0.5, 1.5) * self.fault_every_s
        return found

    async def _happen(self, fault: Fault, over_at: float) -> None:
        await asyncio.sleep(fault.at_s)
        async with self._targets[fault.kind.quorum or (fault.kind.targets, fault.blow.target)]:
            if time.monotonic() > over_at:
                return
            self._going_on.append(str(fault))
            self.report(", ".join(self._going_on))
            try:
                await fault.kind.act(self._scene, fault.blow)
                self.faults[fault.kind.name] += 1
            except NotNow:
                pass
            except Exception as error:
                self.history.violates(f"{fault} did not end well: {error!r}")
            finally:
                self._going_on.remove(str(fault))
                self.report(", ".join(self._going_on))

    async def _all_decided(self) -> None:
        """Measures the time to the last decision; the servers just answer again."""
        healthy_at = time.monotonic()
        async with self.shop.as_operator() as session:

            async def none_under_way() -> bool:
                for status in UNDER_WAY:
                    orders = await get(session, f"/orders?status={status}&limit=1")
                    assert not orders, f"under way: {orders}"
                return True

            await eventually(none_under_way, within=LATE_S_MAX, every=0.1)
        took_s = time.monotonic() - healthy_at
        self.decided_within_s = max(self.decided_within_s, took_s)
        if took_s > DECIDED_WITHIN_S:
            self.history.violates(f"all orders were decided only {took_s:.1f} s after the servers answered")

"""Measures the floors: the least that PostgreSQL, HTTP and the broker need for the same work."""

import asyncio
import math
import os
import re
import statistics
import sys
import time
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import aio_pika

from bench.load import Answers, post, run_load
from bench.servers import USERS, Servers
from tests.servers.database import connected
from tests.servers.ports import free_port
from tests.servers.process import eventually

SQL = Path(__file__).parent / "sql"
_TPS = re.compile(r"tps = ([\d.]+)")

# The size of an encoded event.
EVENT_BYTES = 400


@dataclass(frozen=True)
class BareOrders:
    per_s: float
    cpu_s: float
    """CPU of one order, in PostgreSQL and in `pgbench`."""


def bare_orders(servers: Servers, *, seconds: int, clients: int) -> BareOrders:
    """Measures floor F1: the SQL of an order without the shop, one transaction per order."""
    before = servers.cpu_s()["orders-db"] + _children_cpu_s()
    per_s = pgbench(servers, "f1.sql", seconds=seconds, clients=clients)
    taken_s = servers.cpu_s()["orders-db"] + _children_cpu_s() - before
    return BareOrders(per_s, taken_s / (per_s * seconds))


def _children_cpu_s() -> float:
    """CPU time of this process's children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def pgbench(servers: Servers, script: str, *, seconds: int, clients: int) -> float:
    """Transactions per second of a script of bench/sql on the real tables of both services."""
    output = servers.tool(
        "pgbench",
        *("--no-vacuum", "--protocol=prepared", f"--file={SQL / script}", f"--define=users={USERS}"),
        *(f"--client={clients}", "--jobs=2", f"--time={seconds}", "--max-tries=5", servers.bare),
    )
    assert "number of failed transactions: 0 " in output, output
    return float(_TPS.findall(output)[0])


async def hello(*, connections: int, requests: int) -> Answers:
    """POSTs to a handler that echoes the body (bench/hello.py)."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/hello"
    server = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.hello", str(port))
    try:
        await eventually(lambda: _listens(port), within=30)
        request = post(url, b'{"userId": "user-1", "amount": 10.00}')
        await run_load(url, repeat(request, requests // 10), connections=connections)
        answers = await run_load(url, repeat(request, requests), connections=connections)
    finally:
        server.terminate()
        await server.wait()
    assert set(answers.statuses) == {201}, answers.statuses
    return answers


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def commit_s(url: str, *, count: int, per_s: float = math.inf) -> float:
    """The median time to commit one inserted row. `per_s` should be the pace of the orders that it is
    compared with; by default there is no pause between commits."""
    async with connected(url) as database:
        await database.execute("CREATE TABLE IF NOT EXISTS floor (id uuid PRIMARY KEY, event bytea)")
        insert = await database.prepare("INSERT INTO floor VALUES (uuidv7(), $1)")
        took = []
        for _ in range(count):
            started = time.perf_counter()
            await insert.fetch(bytes(EVENT_BYTES))
            took.append(time.perf_counter() - started)
            await asyncio.sleep(1 / per_s)  # Without the pause, disk and caches would stay warm.
        await database.execute("DROP TABLE floor")
    return statistics.median(took)


class BrokerFloor:
    """Measures the broker alone: queues like a service's and a gateway's, with publisher confirms."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> "BrokerFloor":
        self._connection = await aio_pika.connect(self._url)
        self._channel = await self._connection.channel(publisher_confirms=True)
        arguments = {"x-queue-type": "quorum"}
        self._queue = await self._channel.declare_queue("floor", durable=True, arguments=arguments)
        self._listener = await self._channel.declare_queue("listener", exclusive=True, auto_delete=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._queue.delete(if_unused=False, if_empty=False)
        await self._connection.close()

    async def confirm_s(self, *, count: int, per_s: float) -> float:
        """The median time from a publish to its confirm."""
        return await self._published_s(self._queue, count, per_s)

    async def notify_s(self, *, count: int, per_s: float) -> float:
        """The median time to the confirm of a notification, which the broker does not write to disk."""
        return await self._published_s(self._listener, count, per_s)

    async def _published_s(self, queue: aio_pika.abc.AbstractQueue, count: int, per_s: float) -> float:
        took = []
        for _ in range(count):
            started = time.perf_counter()
            await self._publish(queue)
            took.append(time.perf_counter() - started)
            await asyncio.sleep(1 / per_s)
        await queue.purge()
        return statistics.median(took)

    async def rates(self, *, count: int) -> tuple[float, float]:
        """Messages per second: published with 100 confirms at a time, and consumed with a prefetch of 100."""
        started = time.perf_counter()
        for _ in range(count // 100):
            await asyncio.gather(*(self._publish(self._queue) for _ in range(100)))
        published = time.perf_counter() - started
        await self._channel.set_qos(prefetch_count=100)
        started, left = time.perf_counter(), count
        async with self._queue.iterator() as messages:
            async for message in messages:
                await message.ack()
                left -= 1
                if not left:
                    break
        return count / published, count / (time.perf_counter() - started)

    async def _publish(self, queue: aio_pika.abc.AbstractQueue) -> None:
        message = aio_pika.Message(bytes(EVENT_BYTES), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await self._channel.default_exchange.publish(message, queue.name)

"""What nothing built of the same parts can be faster than, measured in the same run."""

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
import asyncpg

from bench.load import Answers, post, run_load
from bench.servers import USERS, Servers
from tests.servers.ports import free_port
from tests.servers.process import eventually

SQL = Path(__file__).parent / "sql"
_TPS = re.compile(r"tps = ([\d.]+)")

# Of the size of an encoded event.
EVENT_BYTES = 400


@dataclass(frozen=True)
class BareOrders:
    per_s: float
    cpu_s: float
    """CPU of one order, in PostgreSQL and in `pgbench`."""


def bare_orders(servers: Servers, *, seconds: int, clients: int) -> BareOrders:
    """F1: the same order bare, one transaction each."""
    before = servers.cpu_s()["orders-db"] + _children_cpu_s()
    per_s = pgbench(servers, "f1.sql", seconds=seconds, clients=clients)
    taken_s = servers.cpu_s()["orders-db"] + _children_cpu_s() - before
    return BareOrders(per_s, taken_s / (per_s * seconds))


def _children_cpu_s() -> float:
    """CPU of the programs that this process ran and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def pgbench(servers: Servers, script: str, *, seconds: int, clients: int) -> float:
    """Transactions a second of one of our scripts over the real tables of both services."""
    output = servers.tool(
        "pgbench",
        *("--no-vacuum", "--protocol=prepared", f"--file={SQL / script}", f"--define=users={USERS}"),
        *(f"--client={clients}", "--jobs=2", f"--time={seconds}", "--max-tries=5", servers.bare),
    )
    assert "number of failed transactions: 0 " in output, output
    return float(_TPS.findall(output)[0])


async def hello(*, connections: int, requests: int) -> Answers:
    """POSTs to a handler that only echoes."""
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
    """The median time of a transaction of one row, at the pace of the orders it is held against; without a
    pace one after the other."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS floor (id uuid PRIMARY KEY, event bytea)")
        insert = await connection.prepare("INSERT INTO floor VALUES (uuidv7(), $1)")
        took = []
        for _ in range(count):
            started = time.perf_counter()
            await insert.fetch(bytes(EVENT_BYTES))
            took.append(time.perf_counter() - started)
            await asyncio.sleep(1 / per_s)  # A busy loop would keep disk and caches awake.
        await connection.execute("DROP TABLE floor")
    finally:
        await connection.close()
    return statistics.median(took)


class BrokerFloor:
    """Queues of its own, like those of services and of a gateway that listens; each message is confirmed."""

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
        """The same of a notification, which no disk keeps."""
        return await self._published_s(self._listener, count, per_s)

    async def _published_s(self, queue: aio_pika.abc.AbstractQueue, count: int, per_s: float) -> float:
        took = []
        for _ in range(count):
            started = time.perf_counter()
            await self._publish(queue)
            took.append(time.perf_counter() - started)
            await asyncio.sleep(1 / per_s)  # the same pace, for the same reason
        await queue.purge()
        return statistics.median(took)

    async def rates(self, *, count: int) -> tuple[float, float]:
        """Messages a second, published (100 confirms awaited at once) and then consumed (prefetch 100)."""
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

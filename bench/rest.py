"""Measures CPU and memory of the shop at rest, and the time that it takes to start."""

import asyncio
import subprocess
import sys
import time
from operator import sub

from bench.benched_shop import BenchedShop
from bench.report import Row, step
from bench.servers import Servers
from bench.usage import own_cpu_s
from tests.servers.ports import free_port
from tests.servers.process import Process, start_together
from tests.servers.shop import SERVICES

SETTLES_S = 5.0
WATCHED_S = 20.0
IDLE_SHARE = 0.005
MORE_MEMORY_MB = 10.0
LISTENS_WITHIN_S = 0.7
STARTS_AGAIN_WITHIN_S = 4.0

STACK = """
import re
import alembic.command, asyncpg, aiohttp, dishka, faststream.rabbit, litestar, msgspec, prometheus_client
import sqlalchemy.ext.asyncio, structlog, uvicorn, uvloop
print(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
"""Imports the libraries of the shop without the shop, and prints the memory in KiB."""


async def at_rest(servers: Servers) -> list[Row]:
    """CPU and memory of the service that uses most, beside the limits for each service."""
    async with BenchedShop(servers) as shop:
        with step("the services at rest"):
            await asyncio.sleep(SETTLES_S)
            pids = [process.pid for process in shop.processes.values()]
            before = list(map(own_cpu_s, pids))
            await asyncio.sleep(WATCHED_S)
            idle = max(map(sub, map(own_cpu_s, pids), before)) / WATCHED_S
            memory_mb = max(shop.memory_mb().values())
    stack_mb, _ = stack()
    return [
        Row("idle", "a service at rest", "0.5 % of a core", "%", [100 * idle], [100 * IDLE_SHARE], at_most=1),
        Row(
            "memory-at-rest", "memory of a service at rest", "the imported stack + 10 MB", "MB",
            [memory_mb], [stack_mb + MORE_MEMORY_MB], at_most=1,
        ),
    ]  # fmt: skip


def stack() -> tuple[float, float]:
    """The memory in MB and the seconds that the import of the libraries takes."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", STACK], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024, time.monotonic() - began


async def starts(servers: Servers) -> list[Row]:
    """The time from the command to the first answer: of a service, and of the whole shop on existing data."""
    with step("a service starts"):
        began = time.monotonic()
        async with BenchedShop(servers, ["orders"]):
            took_s = time.monotonic() - began
        _, stack_s = stack()
    ports = {service: free_port() for service in SERVICES}
    settings = {
        **{f"{service.upper()}_PORT": str(port) for service, port in ports.items()},
        "SHOP_DATA_DIR": str(servers.directory / "again"),
    }
    urls = [f"http://127.0.0.1:{port}" for port in ports.values()]
    with step("the whole shop starts a second time"):
        for _ in range(2):
            up = Process("up", settings=settings, logs=servers.directory / "logs", ready_at=urls)
            began = time.monotonic()
            await start_together([up])
            again_s = time.monotonic() - began
            await up.stop()
    return [
        Row(
            "starts", "a service is ready", "the imported stack + 0.7 s", "s",
            [took_s], [stack_s + LISTENS_WITHIN_S], at_most=1,
        ),
        Row(
            "starts-again", "`shop up` a second time", "4 s", "s",
            [again_s], [STARTS_AGAIN_WITHIN_S], at_most=1,
        ),
    ]  # fmt: skip

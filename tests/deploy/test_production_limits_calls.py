"""The Redis of the overlay for production, started by its own command, counts calls for the services."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kernel.adapters.rate_limits.counters import StoreIsAway
from kernel.adapters.rate_limits.shared import open_shared_counters
from kernel.adapters.system_clock import SystemClock
from tests.deploy.compose import image_ports
from tests.deploy.manifests import environment_of, of_kind, pods
from tests.servers.ports import free_port
from tests.servers.process import eventually
from tests.servers.rabbitmq import end, spawn
from tests.servers.redis import PrivateRedis

SECRET = "s" * 64


def url_of(service: str) -> str:
    (container,) = pods("production")[f"Deployment/{service}"]["spec"]["containers"]
    return environment_of("production", container, unknown=SECRET)["SHOP_RATE_LIMIT_URL"]


@pytest.fixture
def address(redis_server: PrivateRedis, tmp_path: Path) -> Iterator[str]:
    """The address of a Redis that the container's command started, but on another port and on loopback only.

    `redis_server` is requested because it installs Redis if needed.
    """
    (container,) = pods("production")["StatefulSet/redis"]["spec"]["containers"]
    (password,) = container["env"]
    assert password["valueFrom"]["secretKeyRef"] == {"name": "redis", "key": "password"}
    *shell, script = container["command"]
    port = free_port()
    for there, here in (("port 6379", f"port {port}"), ("bind * -::*", "bind 127.0.0.1")):
        assert there in script
        script = script.replace(there, here)
    server = spawn(
        [*shell, script],
        subprocess.DEVNULL,
        signal.SIGKILL,
        os.environ | {password["name"]: SECRET},
        tmp_path,
    )
    assert SECRET not in Path(f"/proc/{server.pid}/cmdline").read_text()
    yield f"127.0.0.1:{port}"
    end(server, signal.SIGTERM)


async def answers(url: str) -> bool:
    async with open_shared_counters("1/day", url, SystemClock()) as counters:
        await counters.look()
        try:
            return await counters.seconds_until_allowed(("gateway", "user", "alice"), counted=False) is None
        except StoreIsAway:
            return False


async def test_services_count_in_it_and_nobody_else_gets_in(address: str) -> None:
    (url,) = {url_of(service) for service in image_ports()}
    server = urlsplit(url)
    assert (server.hostname, server.port) in places()
    here = url.replace(f"{server.hostname}:{server.port}", address)
    await eventually(lambda: answers(here))
    assert not await answers(here.replace(SECRET, "wrong"))
    assert not await answers(f"redis://{address}/0")


def places() -> set[tuple[str, int]]:
    """The host and port of each service of the overlay."""
    return {
        (f"{name}.shop.svc", port["port"])
        for name, service in of_kind("production", "Service").items()
        for port in service["spec"]["ports"]
    }

"""The RabbitMQ of the tests: one at RABBITMQ_URL, an installed one, or one from apt-get or docker."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from deploy.images import listed
from tests.servers.children import NotStarted, end, spawn, wait_until
from tests.servers.rabbitmq import NoBroker, PrivateRabbitMQ, installed_server, speaks_amqp

APT_S_MAX = 600.0
DOCKER_PULL_S_MAX = 300.0
RABBITMQ = next(image for image in listed() if image.startswith("rabbitmq:"))


class Broker:
    """Uses RABBITMQ_URL, an installed RabbitMQ, apt-get's, or docker's, in this order. `url` starts it.

    The broker keeps its files in `directory`.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._private = PrivateRabbitMQ(directory)
        self._end = ExitStack()
        self._url = os.environ.get("RABBITMQ_URL", "")

    def begin(self) -> None:
        """Starts an installed broker early, without waiting for it. Only `url` raises its errors."""
        if not self._url and installed_server():
            self._end.callback(self._private.kill)
            with suppress(NoBroker):
                self._private.begin()

    def url(self) -> str:
        """Starts the broker if needed, waits until it answers, and returns its URL. May raise NoBroker."""
        self._url = self._url or self._start()
        return self._url

    @property
    def node(self) -> PrivateRabbitMQ | None:
        """The broker's node if it is a child of this process, so that tests can kill it; otherwise None."""
        return self._private if self._url == self._private.url else None

    def close(self) -> None:
        """Ends the broker if this object started it. Its data is not needed after the tests."""
        self._end.close()

    def _start(self) -> str:
        why_not_apt = "" if installed_server() else install_with_apt("rabbitmq-server")
        if installed_server():
            self._end.callback(self._private.kill)
            return self._private.start()
        if docker_answers():
            return self._end.enter_context(docker_broker(self._directory))
        raise NoBroker(
            "The tests need a RabbitMQ: set RABBITMQ_URL to one of its own (its queues are purged), "
            f"or install rabbitmq-server, or start docker{why_not_apt}."
        )


def install_with_apt(package: str) -> str:
    """Installs the package if the user is root and apt-get exists. Returns "", or a text why it failed."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return ""
    print(f"installing {package} with apt-get for the tests", file=sys.__stderr__, flush=True)
    command = [apt, "-qq", "-y", "-o", "DPkg::Lock::Timeout=120", "--no-install-recommends"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with no_services_started():
        # `update` fails even if only one of many sources is unreachable; `install` may still succeed.
        for arguments in (["update"], ["install", package]):
            try:
                done = subprocess.run(
                    [*command, *arguments],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=APT_S_MAX,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f" (apt-get did not end within {APT_S_MAX:.0f} s)"
    last_line = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return f" (apt-get failed: {last_line})" if done.returncode else ""


@contextmanager
def no_services_started() -> Iterator[None]:
    """During the block, packages start no daemon when they are installed (Debian's policy-rc.d)."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            policy.unlink(missing_ok=True)


def docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    try:
        return (
            subprocess.run(["docker", "version"], capture_output=True, timeout=10, check=False).returncode
            == 0
        )
    except subprocess.TimeoutExpired:
        return False


@contextmanager
def docker_broker(directory: Path) -> Iterator[str]:
    """Runs `docker run` in the foreground. When this process dies, SIGTERM stops the container."""
    name = f"shop-tests-{os.getpid()}-{random.randrange(10**6)}"
    directory.mkdir(parents=True, exist_ok=True)
    command = ["docker", "run", "--rm", "--name", name, "-p", "127.0.0.1::5672", RABBITMQ]
    with (directory / "output.log").open("ab") as output:
        client = spawn(command, output.fileno(), signal.SIGTERM, dict(os.environ), directory)

    def port() -> int:
        shown = subprocess.run(
            ["docker", "port", name, "5672/tcp"], capture_output=True, text=True, check=False
        )
        published = shown.stdout.strip().rpartition(":")[2]
        return int(published) if published.isdecimal() else 0

    try:
        wait_until(lambda: speaks_amqp(port()), client, DOCKER_PULL_S_MAX, "RabbitMQ in docker")
        yield f"amqp://guest:guest@127.0.0.1:{port()}/"
    except NotStarted as error:
        raise NoBroker(str(error)) from error
    finally:
        end(client, signal.SIGTERM)
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, timeout=60, check=False)

"""The RabbitMQ of the tests: at a given URL, or installed, or from apt-get, or from docker."""

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
    """RABBITMQ_URL, else an installed RabbitMQ, else apt-get's, else docker's; started when asked for.

    What it needs on disk lies in `directory`.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._private = PrivateRabbitMQ(directory)
        self._end = ExitStack()
        self._url = os.environ.get("RABBITMQ_URL", "")

    def begin(self) -> None:
        """Starts an installed broker ahead of its need, without waiting for it; `url` tells what fails."""
        if not self._url and installed_server():
            self._end.callback(self._private.kill)
            with suppress(NoBroker):
                self._private.begin()

    def url(self) -> str:
        """The URL once the broker answers. Raises NoBroker when none is to be had."""
        self._url = self._url or self._start()
        return self._url

    @property
    def node(self) -> PrivateRabbitMQ | None:
        """The broker itself where it is a child of ours, so that it may be killed."""
        return self._private if self._url == self._private.url else None

    def close(self) -> None:
        """Ends what was started. Nothing that such a broker holds is of use to anyone after the tests."""
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
    """Installs the package where root has an apt-get. Returns "" or, in words, why that failed."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return ""
    print(f"installing {package} with apt-get for the tests", file=sys.__stderr__, flush=True)
    command = [apt, "-qq", "-y", "-o", "DPkg::Lock::Timeout=120", "--no-install-recommends"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with no_services_started():
        # An update with one dead source among many still fails; the install then tells.
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
    """Keeps packages from starting a daemon on installation, with Debian's own means for it."""
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
    """Runs the client in the foreground: it passes the SIGTERM of our death on to the container."""
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

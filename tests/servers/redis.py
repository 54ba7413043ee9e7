"""Runs a private Redis, installed or from apt-get, as a child of this process. It stores nothing on disk."""

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.servers.broker import install_with_apt
from tests.servers.children import end, listens, spawn, wait_until
from tests.servers.ports import free_port

PASSWORD = secrets.token_urlsafe(16)
# The rights that docs/recipes/limiting-calls.md asks for.
RIGHTS = ("~shop:*", "+@scripting", "+@connection", "+@read", "+@write")
CONFIG = """\
bind 127.0.0.1
port {port}
dir {directory}
save ""
appendonly no
user default off
user shop on >{password} {rights}
"""


class PrivateRedis:
    """A Redis on the loopback, for the user `shop`. After `kill` it keeps its port, but loses its data.

    Skips the test if there is no redis-server.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://shop:{PASSWORD}@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Starts Redis, unless it runs."""
        if self._server is not None:
            return
        why = "" if shutil.which("redis-server") else install_with_apt("redis-server")
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip(f"no redis-server is installed{why}")
        self._directory.mkdir(parents=True, exist_ok=True)
        config = self._directory / "redis.conf"
        rights = " ".join(RIGHTS)
        config.write_text(
            CONFIG.format(port=self._port, directory=self._directory, password=PASSWORD, rights=rights)
        )
        with (self._directory / "redis.log").open("ab") as log:
            self._server = spawn(
                [program, str(config)], log.fileno(), signal.SIGKILL, dict(os.environ), self._directory
            )
        wait_until(lambda: listens(self._port), self._server, 10.0, "Redis")

    def kill(self) -> None:
        """Kills Redis, if it runs."""
        server, self._server = self._server, None
        if server is not None:
            server.send_signal(signal.SIGCONT)
            end(server, signal.SIGKILL)

    def freeze(self) -> None:
        """Stops the Redis process with SIGSTOP: connections still open, but nothing is answered."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

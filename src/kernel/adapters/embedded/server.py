"""Starts and stops one PostgreSQL server process on a data folder that initdb has finished."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from kernel.adapters.embedded.account import Account, EmbeddedPostgresError, reach
from kernel.adapters.embedded.child import last_words, spawn, watch
from kernel.adapters.embedded.cluster import living_server, neutralise_stale_pid_file, read_pid_file

FORMER_SERVER_WAIT_S = 10.0
# After a crash, the server may have to replay much write-ahead log.
_READY_WAIT_S = 60.0
# Fast shutdown, immediate shutdown, SIGKILL. None of these steps loses committed data.
_STOP_STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 6.0), (signal.SIGKILL, 5.0))
POLL_S = 0.01  # Other processes send no event to wait for.
# Two remains of a killed server, and a port that another process took after it was found free.
_PASSING_TROUBLES = (b"lock file", b"pre-existing shared memory block", b"could not bind")

_SETTINGS = {
    # TCP on this machine only. The path of a Unix socket in a data folder may be longer than allowed.
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Enough for the pools of one service and for operators' tools. Each connection is a process.
    "max_connections": "60",
    "shared_buffers": "128MB",
    # The log is one file per start, so it should hold only problems.
    "log_checkpoints": "off",
}


class Server:
    """Runs a server on the cluster of `directory`. The caller holds the lock of `directory`."""

    def __init__(self, directory: Path, options: Mapping[str, str]) -> None:
        self._directory = directory
        self._cluster = directory / "cluster"
        self._log = directory / "server.log"
        self._settings = {**_SETTINGS, **options}
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def start(self, binaries: Path, account: Account) -> int:
        """Starts the server, and returns its port once it answers. Retries failures that may pass for 10 s.

        Raises EmbeddedPostgresError if the server does not start.
        """
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.1"))
        deadline = time.monotonic() + FORMER_SERVER_WAIT_S
        while True:
            self.wait_for_former_server()
            port = _free_port()
            self._spawn(binaries, account, port)
            if self._answers(port):
                return port
            said = self._log.read_bytes()
            if time.monotonic() > deadline or not passes(said):
                why = last_words(said)
                raise EmbeddedPostgresError(f"PostgreSQL did not start in {self._directory}: {why}")
            self.stop()
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stops the server, first gently, then by force. Does nothing if the server does not run."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
        if self._process is not None:
            for number, wait_s in _STOP_STEPS:
                self._process.send_signal(number)
                try:
                    self._process.wait(wait_s)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self._watcher = self._process = None

    def wait_for_former_server(self) -> None:
        """Waits until a killed shop's server has shut down. Raises EmbeddedPostgresError after 10 s."""
        deadline = time.monotonic() + FORMER_SERVER_WAIT_S
        while former := living_server(self._cluster):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL (pid {former.pid}) still runs on {self._cluster}")
            time.sleep(POLL_S)
        neutralise_stale_pid_file(self._cluster)

    def _spawn(self, binaries: Path, account: Account, port: int) -> None:
        settings = {**self._settings, "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (
            open(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output,
            reach(self._cluster, account) as folder,
        ):
            command: list[str | Path] = [binaries / "postgres", "-D", folder.path, *options]
            self._process = spawn(command, account, output=output, end_signal=signal.SIGINT, fds=folder.fds)
        self._watcher = watch(self._process, signal.SIGINT)

    def _answers(self, port: int) -> bool:
        """Waits until the server accepts connections. False if the server ended, or took longer than 60 s."""
        deadline = time.monotonic() + _READY_WAIT_S
        while self.pid is not None and time.monotonic() < deadline:
            found = read_pid_file(self._cluster)
            if found is not None and found.pid == self.pid and found.port == port and found.is_ready:
                return True
            time.sleep(POLL_S)
        return False


def passes(said: bytes) -> bool:
    """Whether the output of a server names a failure that may pass by itself."""
    return any(trouble in said for trouble in _PASSING_TROUBLES)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

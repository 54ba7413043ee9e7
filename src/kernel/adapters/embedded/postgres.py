"""PostgreSQL as a child of this process, so that `shop up` needs no installed database server."""

import fcntl
import os
import re
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from kernel.adapters.embedded.account import Account, EmbeddedPostgresError
from kernel.adapters.embedded.binaries import find_binaries, quotable
from kernel.adapters.embedded.child import run
from kernel.adapters.embedded.cluster import (
    OWNER,
    SERVICE,
    add_service_role,
    create_cluster,
    has_service_role,
    living_server,
    remove_unfinished,
    server_url,
)
from kernel.adapters.embedded.server import FORMER_SERVER_WAIT_S, POLL_S, Server, passes

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "running_url"]

# A killed process may still hold its lock for a short time.
_LOCK_WAIT_S = 1.0


class EmbeddedPostgres:
    """A private PostgreSQL server: a child of this process that never outlives it.

    The data stays in `directory` between runs. `options` are PostgreSQL settings. Committed data survives a
    kill -9 of the server or of this process.
    """

    def __init__(self, directory: Path, *, database: str, options: Mapping[str, str] | None = None) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", database):
            raise ValueError(f"not a plain database name: {database!r}")
        self._directory = directory
        self._cluster = directory / "cluster"
        self._database = database
        self._server = Server(directory, options or {})
        self._lock_fd: int | None = None
        self.url = ""
        """The owner's URL. It changes at each start, because each start takes a free port."""
        self.service_url = ""
        """The URL of the service's role, which has only the rights that the owner grants."""

    @property
    def pid(self) -> int | None:
        """The pid of the server while it lives."""
        return self._server.pid

    def start(self) -> str:
        """Starts the server, and returns its URL once it answers. The first start creates the cluster.

        Call it from the main thread, because Linux ends the child together with the thread that started it.
        Raises EmbeddedPostgresError if the server cannot start.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("an embedded server would end with the thread that started it")
        if self.pid is not None:
            return self.url
        self._release_lock()
        try:
            account = Account.able_to_run(self._cluster)
            binaries = find_binaries(account)
            if not self._cluster.exists():
                # If the binaries cannot run here, this fails before anything is written.
                run([binaries / "postgres", "--version"], account, named=True)
            self._directory.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self.url = self._start_server(binaries, account)
            return self.url
        except (OSError, subprocess.SubprocessError) as error:
            self.stop()
            raise EmbeddedPostgresError(f"cannot start PostgreSQL in {self._directory}: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops the server within 21 s. Open transactions are rolled back, and connections are closed."""
        self._server.stop()
        self._release_lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_server(self, binaries: Path, account: Account) -> str:
        remove_unfinished(self._directory)
        if not self._cluster.exists():
            with quotable(binaries) as runnable:
                create_cluster(self._directory, self._database, runnable, account)
        if not has_service_role(self._directory):
            self._add_service_role(binaries, account)
        port = self._server.start(binaries, account)
        self.service_url = server_url(self._directory, port, self._database, SERVICE)
        return server_url(self._directory, port, self._database, OWNER)

    def _add_service_role(self, binaries: Path, account: Account) -> None:
        """Adds the service's role to an older cluster. Retries while a former server still holds memory."""
        deadline = time.monotonic() + FORMER_SERVER_WAIT_S
        while True:
            self._server.wait_for_former_server()
            try:
                return add_service_role(self._directory, binaries, account)
            except EmbeddedPostgresError as error:
                if time.monotonic() > deadline or not passes(str(error).encode()):
                    raise
            time.sleep(POLL_S)

    def _take_lock(self) -> None:
        """Locks `directory`. The kernel frees a dead process's lock, so a lasting lock has a living owner."""
        self._lock_fd = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(
                        f"another process already runs the database in {self._directory}: stop it first"
                    ) from None
            time.sleep(POLL_S)

    def _release_lock(self) -> None:
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None


def running_url(directory: Path, *, database: str, owner: bool = True) -> str | None:
    """The URL of the server that another process runs on `directory`; None if no server is ready. Without
    `owner`, the URL is for the service's role, if the cluster has it.

    Raises EmbeddedPostgresError if the files belong to another user.
    """
    user = OWNER if owner or not has_service_role(directory) else SERVICE
    try:
        server = living_server(directory / "cluster")
        return server_url(directory, server.port, database, user) if server and server.is_ready else None
    except PermissionError as error:
        raise EmbeddedPostgresError(f"{error}: run this as the user that runs the shop") from error

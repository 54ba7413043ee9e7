"""The database of a service, which crashes; and one with a standby that takes its place."""

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import asyncpg

from kernel.adapters.embedded.account import Account, reach
from kernel.adapters.embedded.binaries import find_binaries
from kernel.adapters.embedded.child import run
from kernel.adapters.embedded.postgres import EmbeddedPostgres
from tests.servers.postgres import Template
from tests.servers.shop import descendants, eventually

ENDS_WITHIN_S = 20
IN_STEP_WITHIN_S = 60


class Database:
    """One PostgreSQL server on a copy of the template."""

    def __init__(self, directory: Path, name: str, template: Template) -> None:
        self._directory = directory
        self._name = name
        self._servers = [self._server(template.copy_to(directory / "1"))]
        self.primary = 0
        """Which of the nodes takes writes."""

    def _server(self, directory: Path) -> EmbeddedPostgres:
        return EmbeddedPostgres(directory, database=self._name)

    @property
    def urls(self) -> list[str]:
        """Of every node; those of a node that is started again differ."""
        return [server.url for server in self._servers]

    @property
    def url(self) -> str:
        """Of the node that takes writes."""
        return self._servers[self.primary].url

    async def start(self) -> None:
        self._servers[self.primary].start()

    async def crash(self) -> None:
        """The immediate shutdown: every process of the server ends at once, as for a lost machine."""
        server = self._servers[self.primary]
        assert server.pid is not None
        os.kill(server.pid, signal.SIGQUIT)
        await eventually(lambda: server.pid is None, within=ENDS_WITHIN_S)

    def stop(self) -> None:
        for server in self._servers:
            server.stop()


class ReplicatedDatabase(Database):
    """A primary, and a standby that has written down whatever the primary calls committed."""

    def __init__(self, directory: Path, name: str, template: Template) -> None:
        super().__init__(directory, name, template)
        self._generation = 1

    async def start(self) -> None:
        await super().start()
        await self.add_standby()

    async def add_standby(self) -> None:
        """Copies the primary and returns once the copy is in step; from then on commits wait for it."""
        primary = self._servers[self.primary]
        self._generation += 1
        directory = self._directory / str(self._generation)
        await asyncio.to_thread(self._copy, primary, directory)
        standby = self._server(directory)
        standby.start()
        # Where the dead primary stood: the addresses of the nodes stay the same two.
        self._servers = [primary, standby] if self.primary == 0 else [standby, primary]
        connection = await asyncpg.connect(primary.url)
        try:
            await connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            await connection.execute("SELECT pg_reload_conf()")
            in_step = "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
            await eventually(lambda: connection.fetchval(in_step), within=IN_STEP_WITHIN_S)
        finally:
            await connection.close()

    def _copy(self, primary: EmbeddedPostgres, directory: Path) -> None:
        original = self._directory / str(self._generation - 1)
        account = Account.able_to_run(original / "cluster")
        copy = directory / "cluster"
        copy.mkdir(parents=True, mode=0o700)
        account.own(copy)
        shutil.copy(original / "password", directory)
        with reach(copy, account) as folder:
            command = [find_binaries(account) / "pg_basebackup", "--dbname", primary.url]
            command += ["--pgdata", folder.path, "--write-recovery-conf", "--checkpoint", "fast", "--no-sync"]
            run(command, account, fds=folder.fds)

    async def crash(self) -> None:
        """kill -9 of every process of the primary, which never comes back."""
        primary = self._servers[self.primary]
        assert primary.pid is not None
        backends = descendants(primary.pid)
        primary.kill()
        for pid in backends:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def promote(self) -> None:
        """The standby takes writes from now on, alone."""
        self.primary = 1 - self.primary
        connection = await asyncpg.connect(self._servers[self.primary].url)
        try:
            assert await connection.fetchval("SELECT pg_promote()")
        finally:
            await connection.close()

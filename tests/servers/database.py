"""A service's database that can crash, and one with a standby that can replace its primary."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg

from kernel.adapters.embedded.account import Account, reach
from kernel.adapters.embedded.binaries import find_binaries
from kernel.adapters.embedded.child import run
from kernel.adapters.embedded.postgres import EmbeddedPostgres
from tests.servers.postgres import Template, crash
from tests.servers.process import descendants, eventually

ENDS_WITHIN_S = 20
IN_STEP_WITHIN_S = 60


class Database:
    """One PostgreSQL server on a copy of the template."""

    def __init__(
        self, directory: Path, name: str, template: Template, options: Mapping[str, str] | None = None
    ) -> None:
        self._directory = directory
        self._name = name
        self._options = options or {}
        self._folders: dict[EmbeddedPostgres, Path] = {}
        self._servers = [self._server(template.copy_to(directory / "1"))]
        self.primary = 0
        """The index of the node that accepts writes."""

    def _server(self, directory: Path) -> EmbeddedPostgres:
        server = EmbeddedPostgres(directory, database=self._name, options=self._options)
        self._folders[server] = directory
        return server

    @property
    def urls(self) -> list[str]:
        """The URLs of all nodes. A restarted node has a new URL."""
        return [server.url for server in self._servers]

    @property
    def url(self) -> str:
        """The URL of the node that accepts writes."""
        return self._servers[self.primary].url

    async def start(self) -> None:
        self._servers[self.primary].start()

    async def crash(self) -> None:
        """Shuts the server down in immediate mode: all processes end at once, as in a power failure."""
        server = self._servers[self.primary]
        assert server.pid is not None
        os.kill(server.pid, signal.SIGQUIT)
        await eventually(lambda: server.pid is None, within=ENDS_WITHIN_S)

    def stop(self) -> None:
        for server in self._servers:
            server.stop()


class ReplicatedDatabase(Database):
    """A primary and a synchronous standby, which has every commit on disk that the primary reported."""

    def __init__(
        self, directory: Path, name: str, template: Template, options: Mapping[str, str] | None = None
    ) -> None:
        # pg_rewind needs the WAL that the former primary wrote since the two were last in sync.
        super().__init__(directory, name, template, {"wal_keep_size": "256MB", **(options or {})})
        self._generation = 1

    async def start(self) -> None:
        await super().start()
        await self.add_standby()

    async def add_standby(self) -> None:
        """Copies the primary to a standby, and waits until both are in sync. Then commits wait for both."""
        primary = self._servers[self.primary]
        self._generation += 1
        directory = self._directory / str(self._generation)
        await asyncio.to_thread(self._copy, primary, directory)
        standby = self._server(directory)
        standby.start()
        # The standby takes the dead primary's place in the list, because there are always two nodes.
        self._servers = [primary, standby] if self.primary == 0 else [standby, primary]
        await self._wait_for_standby()

    async def _wait_for_standby(self) -> None:
        async with connected(self.url) as connection:
            await alter_system(connection, "synchronous_standby_names", "*")
            in_step = "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
            await eventually(lambda: connection.fetchval(in_step), within=IN_STEP_WITHIN_S)

    def _copy(self, primary: EmbeddedPostgres, directory: Path) -> None:
        original = self._directory / str(self._generation - 1)
        account = Account.able_to_run(original / "cluster")
        copy = directory / "cluster"
        copy.mkdir(parents=True, mode=0o700)
        account.own(copy)
        for name in ("password", "service-password"):
            shutil.copy(original / name, directory)
        with reach(copy, account) as folder:
            command = [find_binaries(account) / "pg_basebackup", "--dbname", primary.url]
            command += ["--pgdata", folder.path, "--write-recovery-conf", "--checkpoint", "fast", "--no-sync"]
            run(command, account, fds=folder.fds)

    async def crash(self) -> None:
        """Kills every process of the primary with SIGKILL. The primary never comes back."""
        primary = self._servers[self.primary]
        assert primary.pid is not None
        backends = descendants(primary.pid)
        crash(primary)
        for pid in backends:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def promote(self) -> None:
        """Promotes the standby: it alone accepts writes from now on."""
        self.primary = 1 - self.primary
        async with connected(self.url) as connection:
            assert await connection.fetchval("SELECT pg_promote()")

    async def demote(self) -> None:
        """Makes the primary read-only, and waits until the standby has all of its commits."""
        async with connected(self.url) as connection:
            await alter_system(connection, "default_transaction_read_only", "on")
            await eventually(lambda: connection.fetchval(NOTHING_UNDER_WAY), within=IN_STEP_WITHIN_S)

    async def switch_over(self) -> None:
        """Switches over as an operator does. The former primary still answers reads."""
        await self.demote()
        await self.promote()

    async def rewind(self) -> None:
        """Makes the former primary the standby, after `switch_over`. The URL of this node changes."""
        former = self._servers[1 - self.primary]
        await asyncio.to_thread(former.stop)
        async with connected(self.url) as connection:
            await connection.execute("CHECKPOINT")  # pg_rewind finds the new timeline in the control file.
        await asyncio.to_thread(self._rewind, former)
        former.start()
        await self._wait_for_standby()

    def _rewind(self, former: EmbeddedPostgres) -> None:
        """Makes the former primary a copy of the new one, including its settings, so that writes work."""
        cluster = self._folders[former] / "cluster"
        account = Account.able_to_run(cluster)
        with reach(cluster, account) as folder:
            command = [find_binaries(account) / "pg_rewind", "--source-server", self.url]
            command += ["--target-pgdata", folder.path, "--write-recovery-conf", "--no-sync"]
            run(command, account, fds=folder.fds)


# True once no earlier transaction is open, and the standby has written all WAL to disk.
NOTHING_UNDER_WAY = """
SELECT NOT EXISTS (SELECT FROM pg_stat_activity
                   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle')
   AND EXISTS (SELECT FROM pg_stat_replication WHERE flush_lsn >= pg_current_wal_flush_lsn())
"""


async def alter_system(connection: asyncpg.Connection, name: str, value: str) -> None:
    """Changes a server setting, and waits until this session, and so every other one, has the new value."""
    await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.execute("SELECT pg_reload_conf()")
    await eventually(lambda: has(connection, name, value), every=0.005)


async def has(connection: asyncpg.Connection, name: str, value: str) -> bool:
    return bool(await connection.fetchval(f"SHOW {name}") == value)


@asynccontextmanager
async def connected(url: str, **settings: str) -> AsyncIterator[asyncpg.Connection]:
    """Opens a connection for the block. `settings` are PostgreSQL settings of this session only."""
    connection = await asyncpg.connect(url, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def refusing(
    connection: asyncpg.Connection, table: str, sqlstate: str, words: str
) -> AsyncIterator[None]:
    """During the block, every insert into the table fails with this error."""
    error = f"RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = '{words}'"
    await connection.execute(
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {error}; END$$;"
        f"CREATE TRIGGER refuse BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()"
    )
    try:
        yield
    finally:
        await connection.execute("DROP FUNCTION refuse CASCADE")

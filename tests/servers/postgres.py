"""PostgreSQL clusters for tests. One is made, then copied: a copy takes a sixth of the time."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import asyncpg

from kernel.adapters.embedded.postgres import EmbeddedPostgres

FILES = ("cluster", "password", "service-password")


class Template:
    """A cluster at rest with two empty databases, orders and payments."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with EmbeddedPostgres(directory, database="orders") as server:
            asyncio.run(create_database(server.url, "payments"))

    def copy_to(self, directory: Path) -> Path:
        """Copies the cluster to `directory`, where an EmbeddedPostgres can start. Returns `directory`."""
        directory.mkdir(parents=True)
        files = [str(self._directory / name) for name in FILES]
        subprocess.run(["cp", "-a", *files, str(directory)], check=True)
        return directory


async def create_database(url: str, name: str) -> str:
    """Creates an empty database on the server of this URL. Returns the new database's URL."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return f"{url.rpartition('/')[0]}/{name}"


def crash(server: EmbeddedPostgres) -> None:
    """Kills the server with SIGKILL. Its next `start` recovers the data."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()

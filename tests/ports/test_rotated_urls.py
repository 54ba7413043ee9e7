"""A new connection takes the URL as its file has it; whoever is connected stays connected."""

from pathlib import Path

import asyncpg
import pytest
from yarl import URL

from kernel.adapters.postgres.connections.engine import SERVER_SETTINGS
from kernel.adapters.postgres.connections.hosts import Hosts
from kernel.adapters.postgres.connections.primary import PrimaryConnection
from kernel.adapters.reread import FileText


async def connection_of(hosts: Hosts) -> PrimaryConnection:
    return await hosts.connect(timeout_s=5, server_settings=SERVER_SETTINGS)


async def test_a_rotated_password_is_taken_and_retires_no_connection(
    postgres_server: str, tmp_path: Path
) -> None:
    file, url = tmp_path / "url", URL(postgres_server).with_user("courier")
    admin = await asyncpg.connect(postgres_server)
    await admin.execute("CREATE ROLE courier LOGIN PASSWORD 'one'")
    connections = []
    try:
        file.write_text(str(url.with_password("one")))
        hosts = Hosts(FileText.read("ORDERS_DATABASE_URL_FILE", file))
        connections.append(await connection_of(hosts))
        await admin.execute("ALTER ROLE courier PASSWORD 'two'")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await connection_of(hosts)
        file.write_text(str(url.with_password("two")))
        connections.append(await connection_of(hosts))
        assert all(connection.takes_writes() for connection in connections)
    finally:
        for connection in connections:
            await connection.close()
        await admin.execute("DROP ROLE courier")
        await admin.close()

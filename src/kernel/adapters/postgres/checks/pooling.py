"""Detects a pooler that does not keep sessions, or drops their settings (docs/recipes/databases.md)."""

from collections.abc import Awaitable, Callable

import asyncpg

from kernel.adapters.postgres.connections.engine import SERVER_SETTINGS

ADVICE = (
    "a pooler needs session pooling, and to pass on the settings of a session"
    " (or set them by ALTER ROLE: docs/recipes/databases.md)"
)
LOOKS_MAX = 3

_SETTINGS = "SELECT name, current_setting(name) FROM unnest($1::text[]) AS wanted(name)"
# Sets the wanted values for one transaction only, to get them in the server's format.
_WANTED = (
    "SELECT name, set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS wanted(name, value)"
)
_BACKEND = "SELECT pg_backend_pid()"


async def pooling_problem(
    connection: asyncpg.Connection, connect: Callable[[], Awaitable[asyncpg.Connection]]
) -> str | None:
    """Returns an error text if the connection uses a pooler that pools by transaction; else None.

    A pooler tells its client an invented process id. So there is no pooler if that id is the server's real
    one. Otherwise this opens a second session and compares the server processes, up to LOOKS_MAX times.
    Transactions are pooled if both sessions share a process, or if the first session changes its process.
    """
    pid = await _pid(connection)
    if connection.get_server_pid() == pid:
        return None
    other = await connect()
    try:
        async with other.transaction():
            taken = await _pid(other)
            for _ in range(LOOKS_MAX):
                if taken == pid or await _pid(connection) != pid:
                    return "is behind a pooler that pools by transaction: session pooling is needed"
    finally:
        other.terminate()
    return None


async def _pid(connection: asyncpg.Connection) -> int:
    """Reads the id of the server process, in a transaction, which no pooler splits over several processes."""
    async with connection.transaction():
        return int(await connection.fetchval(_BACKEND))


async def settings_problem(connection: asyncpg.Connection) -> str | None:
    names = list(SERVER_SETTINGS)
    found = dict(await connection.fetch(_SETTINGS, names))
    wanted = dict(await connection.fetch(_WANTED, names, [SERVER_SETTINGS[name] for name in names]))
    for name, value in wanted.items():
        if found[name] != value:
            return f"gives sessions in which {name} is {found[name]} instead of {value}: {ADVICE}"
    return None

"""Detects a connection pooler that does not keep sessions, or their settings (docs/recipes/databases.md)."""

from collections.abc import Awaitable, Callable

import asyncpg

from kernel.adapters.postgres.connections.engine import SERVER_SETTINGS

ADVICE = (
    "a pooler needs session pooling, and to pass on the settings of a session"
    " (or set them by ALTER ROLE: docs/recipes/databases.md)"
)
LOOKS_MAX = 3

_SETTINGS = "SELECT name, current_setting(name) FROM unnest($1::text[]) AS wanted(name)"
# Sets the wanted values in a transaction that ends at once, to get them as the server formats them.
_WANTED = (
    "SELECT name, set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS wanted(name, value)"
)
_BACKEND = "SELECT pg_backend_pid()"


async def pooling_problem(
    connection: asyncpg.Connection, connect: Callable[[], Awaitable[asyncpg.Connection]]
) -> str | None:
    """Describes the problem if a pooler pools by transaction; else None.

    A pooler invents the process id that it tells its client, so equal ids mean that there is none. Otherwise
    a second session is opened: if both share a server process, or if the first one moves to another,
    transactions are pooled. This is looked at LOOKS_MAX times.
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
    """The id of the server process. It is asked in a transaction, which no pooler splits over processes."""
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

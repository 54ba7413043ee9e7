"""Makes a service's engine, with its connection pool, for one PostgreSQL server."""

import logging
from collections.abc import Generator
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kernel.adapters.postgres.connections.hosts import Hosts
from kernel.adapters.postgres.connections.pool import PatientPool

# Silences pools: they log a traceback if closing a connection fails, although the caller that used the
# connection already reports the error. SQLAlchemy names a pool's logger after the class of the pool.
for _pool in ("sqlalchemy.pool", f"{PatientPool.__module__}.{PatientPool.__name__}"):
    logging.getLogger(_pool).setLevel(logging.CRITICAL)

CONNECT_TIMEOUT_S = 5
# This timeout is longer than the server's, so that only a half-open connection reaches it. After a COMMIT
# whose answer was lost, it leaves time to find out the outcome within the 10 s that a caller waits.
COMMAND_TIMEOUT_S = 5
POOL_SIZE = 10
# The maximum of prepared statements per connection. Each lane of the server has separate statements.
PREPARED_MAX = 100
PREPARED_PER_FURTHER_LANE = 25
PREPARED_OF_ALL_MAX = 1000
# Connections of this age are replaced, because a firewall may drop connections that are idle for long.
RECYCLE_S = 300
SERVER_SETTINGS = {
    "default_transaction_isolation": "read committed",
    # The longest time for which a dead or stalled client holds locks.
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "1s",
    "statement_timeout": "4s",
    "timezone": "UTC",
    "jit": "off",
    # Every statement finds its rows by a key. But the planner takes a table for small if it was never
    # analyzed, and scans all its rows (docs/decisions/0012-no-searches.md).
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


def connect_engine(url: str, session_name: str | None = None, lanes: int = 1) -> AsyncEngine:
    """Makes an engine for a libpq URL. Of several hosts, it uses the one that takes writes. Raises
    UrlProblem.

    `session_name` is the application_name of the sessions; None means the name in the URL, or else `shop`.
    `lanes` is the number of lanes on the server: with more lanes, more statements stay prepared.
    """
    hosts = Hosts(url)
    prepared = min(PREPARED_MAX + PREPARED_PER_FURTHER_LANE * (lanes - 1), PREPARED_OF_ALL_MAX)
    settings = SERVER_SETTINGS | ({"application_name": session_name} if session_name else {})

    class Connecting:
        """Connects only when it is awaited. `PatientPool.at_hand` cannot wait, so it never awaits this."""

        def __await__(self) -> Generator[Any, None, asyncpg.Connection]:
            connecting = hosts.connect(
                timeout_s=CONNECT_TIMEOUT_S,
                command_timeout=COMMAND_TIMEOUT_S,
                server_settings=settings,
                statement_cache_size=prepared,
            )
            return connecting.__await__()

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=Connecting,
        poolclass=PatientPool,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_reset_on_return=None,  # a returned connection is in no transaction (statements/driver.py)
        pool_use_lifo=True,  # keeps few server processes busy, with warm caches
        pool_recycle=RECYCLE_S,
        # Error texts are logged and stored, and must not hold what users sent.
        hide_parameters=True,
    )

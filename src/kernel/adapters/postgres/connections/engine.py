"""Connections to PostgreSQL, one pool a service."""

import logging
from collections.abc import Generator
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kernel.adapters.postgres.connections.hosts import Hosts
from kernel.adapters.postgres.connections.pool import PatientPool

# SQLAlchemy names the logger of a pool after its class. A pool logs a traceback for each connection that
# breaks as it is closed; the caller that used it reports what matters.
for _pool in ("sqlalchemy.pool", f"{PatientPool.__module__}.{PatientPool.__name__}"):
    logging.getLogger(_pool).setLevel(logging.CRITICAL)

CONNECT_TIMEOUT_S = 5
# Above the server's own timeouts, so that only a half-open connection reaches it, and low enough that a
# COMMIT whose answer is lost can be asked after within the 10 s that a caller waits.
COMMAND_TIMEOUT_S = 5
POOL_SIZE = 10
# Prepared statements of each connection; every lane of its server has its own.
PREPARED_MAX = 100
PREPARED_PER_FURTHER_LANE = 25
PREPARED_OF_ALL_MAX = 1000
# Those that lie unused are the last to be lent: a firewall may have forgotten them meanwhile.
RECYCLE_S = 300
SERVER_SETTINGS = {
    "default_transaction_isolation": "read committed",
    # What a client that died or stalled may hold locks for.
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "1s",
    "statement_timeout": "4s",
    "timezone": "UTC",
    "jit": "off",
    # Every statement finds its rows by a key, but the planner takes a table that was never analyzed for a
    # small one, and searches the whole of it (docs/decisions/0012-no-searches.md).
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


def connect_engine(url: str, session_name: str | None = None, lanes: int = 1) -> AsyncEngine:
    """An engine for a libpq URL of a server with this number of lanes; of several hosts it uses the one that
    takes writes.

    Without `session_name`, its sessions are called as those of the service.
    """
    hosts = Hosts(url)
    prepared = min(PREPARED_MAX + PREPARED_PER_FURTHER_LANE * (lanes - 1), PREPARED_OF_ALL_MAX)
    settings = SERVER_SETTINGS | ({"application_name": session_name} if session_name else {})

    class Connecting:
        """Begins once it is awaited, which it is not where nobody can wait (`PatientPool.at_hand`)."""

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
        pool_reset_on_return=None,  # what comes back is in no transaction (statements/driver.py)
        pool_use_lifo=True,  # few busy server processes, whose caches are warm
        pool_recycle=RECYCLE_S,
        # Errors are logged and parked; what users sent is not.
        hide_parameters=True,
    )

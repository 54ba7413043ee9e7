"""Whether a service is running on its database: if none is, what waits there waits for the shop."""

from kernel.adapters.postgres.connections.hosts import session_name
from kernel.adapters.postgres.snapshot import Snapshot, snapshot

# A session without any name may be the service's, behind a pooler: in doubt a service is running, and the
# audit stays strict.
_RUNS = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND application_name IN ($1, '')
) AS runs
"""


async def runs(database: Snapshot, url: str) -> bool:
    """`url` is that of the database: it says what the sessions of the service are called."""
    found: bool = (await database.row(_RUNS, session_name(url)))["runs"]
    return found


async def runs_on(url: str) -> bool:
    async with snapshot(url) as database:
        return await runs(database, url)

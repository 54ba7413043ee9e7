"""Whether a service is running on its database: work that waits for a stopped service is no fault."""

from kernel.adapters.postgres.connections.hosts import session_name
from kernel.adapters.postgres.snapshot import Snapshot, snapshot

# A session without a name may be the service's, behind a pooler. In doubt the service counts as running, so
# that the audit stays strict.
_RUNS = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND application_name IN ($1, '')
) AS runs
"""


async def runs(database: Snapshot, url: str) -> bool:
    """`url` is the URL of the database, which tells the name of the service's sessions."""
    found: bool = (await database.row(_RUNS, session_name(url)))["runs"]
    return found


async def runs_on(url: str) -> bool:
    async with snapshot(url) as database:
        return await runs(database, url)

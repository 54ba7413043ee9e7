"""Whether a service is running on its database: if none is, what waits there waits for the shop."""

from kernel.adapters.postgres.snapshot import Snapshot

# Services keep connections under the name `shop` (kernel/adapters/postgres/connections/engine.py). One
# without any name may be a service behind a pooler: in doubt a service is running, and the audit stays
# strict.
_RUNS = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND application_name IN ('shop', '')
) AS runs
"""


async def runs(database: Snapshot) -> bool:
    found: bool = (await database.row(_RUNS))["runs"]
    return found

"""Whether a service works on its database now: what waits there while none does, waits for the shop."""

from shop.audit.snapshot import Snapshot

# Services keep connections under the name `shop` (kernel/adapters/postgres/engine.py). One without any name
# may be a service behind a pooler: in doubt the shop runs, and the audit stays strict.
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

import asyncio
from collections.abc import Sequence

from kernel.adapters.postgres import outboxes
from kernel.adapters.postgres.audit import Check
from kernel.adapters.postgres.snapshot import Snapshot, snapshot
from kernel.domain.faults import Checked

OUTBOX = "outboxes"
# An overdue outbox row counts as stuck if its relay does not publish it within this further time.
PATIENCE_S = 10.0


class PostgresOwnChecks:
    """Runs the checks that a service declares, and looks for stuck rows in its outbox, on new connections."""

    def __init__(self, url: str, checks: Sequence[Check], patience_s: float = PATIENCE_S) -> None:
        self._url = url
        self._checks = checks
        self._patience_s = patience_s

    async def run(self) -> Sequence[Checked]:
        async with snapshot(self._url) as database:
            was = await outboxes.heads(database, await outboxes.overdue(database))
            outbox = Checked(OUTBOX, (await database.row("SELECT count(*) FROM outbox"))[0])
            found = await _checked(database, self._checks)
        if was:
            await asyncio.sleep(self._patience_s)
            async with snapshot(self._url) as database:
                before = await outboxes.overdue(database)
                stuck = outboxes.still_stuck(was, await outboxes.heads(database, before), at_rest=False)
                async for row in database.stream(outboxes.STUCK, before, list(stuck)):
                    outbox.add([outboxes.stuck_fault(row)])
        return [*found, outbox]


async def _checked(database: Snapshot, checks: Sequence[Check]) -> list[Checked]:
    found = []
    for check in checks:
        counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in check.tables)
        checked = Checked(check.name, (await database.row(f"SELECT {counts}"))[0])
        async for row in database.stream(check.query):
            checked.add(check.faults_of(row))
        found.append(checked)
    return found

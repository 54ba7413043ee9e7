"""The statements that reach the databases of services in this process."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import Engine, event


@contextmanager
def statements_counted(
    counts: Callable[[], bool] = lambda: True,
) -> Iterator[tuple[Counter[str], dict[str, Any]]]:
    """And the plan that each had at first; `counts` says whether what runs now counts."""
    counted: Counter[str] = Counter()
    plans: dict[str, Any] = {}

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counted[statement] += counts()

    fetch = asyncpg.Connection.fetch

    async def fetch_counted(connection: asyncpg.Connection, query: str, *args: Any, **options: Any) -> Any:
        counted[query] += counts()
        if query not in plans and not query.startswith(("BEGIN", "COMMIT")):
            ((plan,),) = await fetch(connection, f"EXPLAIN (FORMAT json) {query}", *args)
            plans[query] = plan
        return await fetch(connection, query, *args, **options)

    event.listen(Engine, "before_cursor_execute", count)
    asyncpg.Connection.fetch = fetch_counted
    try:
        yield counted, plans
    finally:
        asyncpg.Connection.fetch = fetch
        event.remove(Engine, "before_cursor_execute", count)

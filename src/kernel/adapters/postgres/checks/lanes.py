"""Checks which lanes a server holds. Each lane is a schema, whose comment is like `lane 2 of 4`."""

import re
from collections.abc import Collection, Sequence

import asyncpg

from kernel.adapters.lanes.lane import ONLY, Lane
from kernel.adapters.postgres.checks.schema import SchemaMismatch
from kernel.adapters.postgres.checks.start import connect_checker, naming, where
from kernel.adapters.postgres.tables import Schema

_COMMENTS = """
SELECT obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname ~ '^lane_[0-9]{3}$'
"""
_IS_THERE = "SELECT to_regclass($1) IS NOT NULL"


async def require_lanes(
    url: str, lanes: Sequence[Lane], schema: Schema, *, creates: bool = False, setting: str = ""
) -> Sequence[Lane]:
    """Returns the lanes that the server holds. Raises Unavailable, or SchemaMismatch for unexpected lanes.

    The server may hold no lane yet if the caller `creates` them. `setting` is the name of the setting with
    the URL, for the error's text; empty means the service's LANE_URLS.
    """
    with naming(schema.service, url):
        connection = await connect_checker(url)
        try:
            made = await lanes_made(connection)
            if not made and await connection.fetchval(_IS_THERE, schema.tables[0].name):
                made = [ONLY]
        finally:
            connection.terminate()
    reason = _problem(made, lanes, setting or f"{schema.service.upper()}_LANE_URLS")
    if reason is None and not made and not creates and lanes[0].count > 1:
        reason = f"was never migrated: run `shop migrate {schema.service}`"
    if reason is not None:
        raise SchemaMismatch(f"{where(schema.service, url)} {reason}")
    return made


async def lanes_made(connection: asyncpg.Connection) -> list[Lane]:
    """Returns the lanes whose schemas exist; empty if the shop has only one lane."""
    comments = [row["comment"] or "" for row in await connection.fetch(_COMMENTS)]
    found = [re.fullmatch(r"lane ([0-9]{1,3}) of ([0-9]{1,3})", comment) for comment in comments]
    return [Lane(int(one[1]), int(one[2])) for one in found if one]


def _problem(made: Sequence[Lane], wanted: Sequence[Lane], setting: str) -> str | None:
    if not made:
        return None
    count = wanted[0].count
    if other := next((lane for lane in made if lane.count != count), None):
        return f"was made with SHOP_LANES={other.count}, not {count}"
    held, given = ({lane.number for lane in lanes} for lanes in (made, wanted))
    if held != given:
        return f"holds the {named(held)}, and {setting} gives it the {named(given)}"
    return None


def named(numbers: Collection[int]) -> str:
    """Formats the numbers of lanes, like `lane 2` or `lanes 2, 3`."""
    return f"lane{'s' if len(numbers) > 1 else ''} {', '.join(map(str, sorted(numbers)))}"

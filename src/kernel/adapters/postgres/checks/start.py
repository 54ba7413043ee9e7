"""Checks that every command runs on a database before it uses the database."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from kernel.adapters.lanes.lane import ONLY, Lane
from kernel.adapters.postgres.checks.pooling import ADVICE, pooling_problem, settings_problem
from kernel.adapters.postgres.checks.schema import SchemaMismatch, stored_revision
from kernel.adapters.postgres.checks.tables_found import TABLES, missing, tables_of
from kernel.adapters.postgres.connections.engine import COMMAND_TIMEOUT_S, CONNECT_TIMEOUT_S, SERVER_SETTINGS
from kernel.adapters.postgres.connections.failures import DRIVER_ERRORS, words_of
from kernel.adapters.postgres.connections.hosts import Hosts
from kernel.adapters.postgres.connections.urls import database_hosts
from kernel.adapters.postgres.tables import OPERATOR_RECORD, RIGHTS_OF_ALL, Schema
from kernel.domain.errors import Contention, Unavailable

# The oldest version of PostgreSQL that tells its clients when it stops taking writes.
VERSION_MIN = 14
SHOWN_MAX = 4
# Values of pg_settings.source for settings that a change of the server's configuration does not reach.
_OF_THE_SESSION = ("database", "user", "database user", "client", "session")

_SERVER = """
SELECT current_setting('server_version_num')::int / 10000 AS version,
       current_setting('server_encoding') AS encoding,
       current_user AS role, current_database() AS database, current_schema() AS schema,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
       (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only') AS read_only_source,
       concat_ws('/', extract(epoch FROM pg_postmaster_start_time()), current_database(), current_schema())
           AS identity
"""


@dataclass(frozen=True, slots=True)
class Found:
    """The state of one lane's tables, in a database that has passed the checks."""

    revision: int
    """The number of the newest migration; 0 if there was none."""
    identity: str
    """An identifier of the schema: equal for two URLs that lead to the same tables."""


@contextmanager
def naming(service: str, url: str) -> Iterator[None]:
    """Raises Unavailable for errors of the server or the network, in one line that names the database."""
    try:
        yield
    except (*DRIVER_ERRORS, SQLAlchemyError, Contention, OSError, EOFError) as error:
        said = words_of(error)
        cure = f"; {ADVICE}" if "startup parameter" in said else ""
        raise Unavailable(f"{where(service, url)}: {said}{cure}") from error


def where(service: str, url: str, lane: Lane = ONLY) -> str:
    """Names the database in an error text, with the lane of the URL's search_path, or else with `lane`."""
    hosts = database_hosts(url)
    of_url = re.search(r"search_path=(lane_[0-9]{3})$", hosts[0].parameters.get("options", ""))
    schema = of_url[1] if of_url else lane.schema
    named = f"{schema} of " if schema else ""
    return f"{named}the {service} database {hosts[0].database} at {','.join(map(str, hosts))}"


async def require_fit(
    url: str, schema: Schema, *, lanes: Sequence[Lane] = (ONLY,), writes: bool = True
) -> None:
    """Raises Unavailable, or SchemaMismatch if the schema of a lane does not fit the service's code.

    A higher revision than needed is accepted, because migrations only add at first (expand, then contract).
    """
    for lane, found in zip(lanes, await look(url, schema, lanes, writes=writes), strict=True):
        if found.revision < schema.revision:
            state = f"is at revision {found.revision:04}, but {schema.revision:04} is needed"
            raise SchemaMismatch(
                f"{where(schema.service, url, lane)} {state if found.revision else 'was never migrated'}:"
                f" run `shop migrate {schema.service}`"
            )


async def require_migratable(databases: Sequence[tuple[str, Schema]]) -> None:
    """Raises Unavailable, or SchemaMismatch for a database that is unfit for migrations or named twice."""
    found = [one for url, schema in databases for one in await look(url, schema, creates=True)]
    if len({one.identity for one in found}) < len(found):
        services = [*dict.fromkeys(schema.service for _, schema in databases)]
        if len(services) == 1:
            several = f"{services[0].upper()}_LANE_URLS"
            raise SchemaMismatch(
                f"{several} names the same database twice; name it once, with all of its lanes"
            )
        names = " and ".join(f"{service.upper()}_DATABASE_URL" for service in services)
        raise SchemaMismatch(f"{names} lead to the same database; each service needs one of its own")


async def look(
    url: str,
    schema: Schema,
    lanes: Sequence[Lane] = (ONLY,),
    *,
    writes: bool = False,
    creates: bool = False,
) -> list[Found]:
    """Returns the state of each lane's tables. Raises Unavailable, or SchemaMismatch if the database is not
    fit for the service.

    The collation is not checked, because no index depends on it: every text key has COLLATE "C".
    """
    connect = partial(connect_checker, url)
    with naming(schema.service, url):
        connection = await connect()
        try:
            if reason := await pooling_problem(connection, connect):
                raise SchemaMismatch(f"{where(schema.service, url)} {reason}")
            found = []
            for lane in lanes:
                async with connection.transaction():
                    if lane.schema is not None:
                        await connection.execute(f"SET LOCAL search_path = {lane.schema}")
                    server = await connection.fetchrow(_SERVER)
                    rows = await connection.fetch(TABLES)
                    reason = _server_problem(server) or await settings_problem(connection)
                    tables = {row["relname"]: row for row in rows}
                    revision = "0" if reason else await stored_revision(connection)
                reason = reason or _problem(schema, server, tables, revision, writes=writes, creates=creates)
                if reason is not None:
                    raise SchemaMismatch(f"{where(schema.service, url, lane)} {reason}")
                found.append(Found(int(revision), server["identity"]))
        finally:
            connection.terminate()
    return found


async def connect_checker(url: str) -> asyncpg.Connection:
    return await Hosts(url).connect(
        timeout_s=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings=SERVER_SETTINGS | {"application_name": "shop check"},
        statement_cache_size=0,  # a pooler may give each statement to another server process
    )


def _server_problem(server: asyncpg.Record) -> str | None:
    if server["version"] < VERSION_MIN:
        return f"is PostgreSQL {server['version']}: {VERSION_MIN} or newer is needed"
    if server["encoding"] != "UTF8":
        return f"has the encoding {server['encoding']}: create it with ENCODING 'UTF8' TEMPLATE template0"
    if server["read_only_source"] in _OF_THE_SESSION:
        return (
            "sets default_transaction_read_only for the database, the role or the session, which hides a"
            " switchover: leave it to the server"
        )
    if server["schema"] is None:
        return f"has no schema in its search_path that the role {server['role']} may use"
    return None


def _problem(
    schema: Schema,
    server: asyncpg.Record,
    tables: dict[str, asyncpg.Record],
    revision: str,
    *,
    writes: bool,
    creates: bool,
) -> str | None:
    names = [table.name for table in schema.tables]
    own = [name for name in names if name in tables]
    if not revision.isdecimal():
        return "has migrations of another application"
    if int(revision) and not own:
        return f"is not the database of the {schema.service} service: it has the tables {_shown(tables)}"
    if int(revision) and len(own) < len(names):
        absent = next(name for name in names if name not in tables)
        return f"is at revision {int(revision):04} but has no table {absent}"
    # This check is skipped for commands that only read, such as the audit, because they report faults.
    serves = (writes or creates) and int(revision) >= schema.revision
    if serves and (lacking := next(missing(schema, tables), None)):
        return f"is at revision {int(revision):04} but has no {lacking}"
    if not int(revision) and own:
        return f"has a table {own[0]} that no migration of the shop made"
    for name in (table.name for table in tables_of(schema) if table.name in tables):
        if not tables[name]["may_read"] or (writes and not tables[name]["may_write"]):
            return f"refuses the table {name} to the role {server['role']}"
    if creates and int(revision) < schema.revision and not server["may_create"]:
        owner = f"{schema.service.upper()}_MIGRATION_URL has to name its owner"
        return f"lets the role {server['role']} create no table in the schema {server['schema']}: {owner}"
    return None


def _shown(tables: dict[str, asyncpg.Record]) -> str:
    of_all = {"alembic_version", OPERATOR_RECORD.name, *(table.name for table in RIGHTS_OF_ALL)}
    names = sorted(set(tables) - of_all)
    return ", ".join(names[:SHOWN_MAX]) + (" …" if len(names) > SHOWN_MAX else "")

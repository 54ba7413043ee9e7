"""The databases of a service, checked before they are used."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.lanes.lane import every_lane
from kernel.adapters.postgres.checks.lanes import require_lanes
from kernel.adapters.postgres.checks.start import require_fit, where
from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.connections.lanes import engine_of_lane
from kernel.adapters.postgres.connections.pool import PatientPool, pool_of
from kernel.adapters.postgres.tables import Schema
from kernel.domain.errors import Unavailable
from kernel.lane_servers import LaneServer

CONSOLE = "shop console"
"""The name of the sessions of commands, which distinguishes them from the service's sessions."""
CHECK_EVERY_S = 0.5

logger = logging.getLogger(__name__)


@asynccontextmanager
async def databases(
    servers: Sequence[LaneServer], schema: Schema, session_name: str | None = None
) -> AsyncIterator[Sequence[AsyncEngine]]:
    """Yields an engine for each lane, in the order of the lanes' numbers. The lanes of a server share a pool.
    Without `session_name`, sessions have the name that the service gives its sessions.

    Raises Unavailable or SchemaMismatch, with a text of one line. If there are several servers, some may be
    away: such a server refuses every call until it is back and has been checked. A command names its
    sessions, and needs all servers.
    """
    away = await _away(servers, schema, all_needed=session_name is not None)
    engines: dict[int, AsyncEngine] = {}
    async with AsyncExitStack() as opened:
        unchecked: list[tuple[LaneServer, PatientPool]] = []
        for server in servers:
            engine = connect_engine(server.url, session_name, len(server.lanes))
            opened.push_async_callback(engine.dispose)
            pool = pool_of(engine)
            pool.trouble.server = f"the {schema.service} database"
            if len(servers) > 1:
                pool.trouble.server = where(schema.service, server.url)
                pool.may_be_lost = True
            if server in away:
                pool.is_unchecked = True
                unchecked.append((server, pool))
            for lane in server.lanes:
                engines[lane.number] = engine_of_lane(engine, lane, len(server.lanes))
        if unchecked:
            await opened.enter_async_context(_checking(unchecked, schema))
        yield [engines[number] for number in sorted(engines)]


@asynccontextmanager
async def one_lane(
    servers: Sequence[LaneServer], schema: Schema, number: int = 0
) -> AsyncIterator[tuple[AsyncEngine, LaneServer]]:
    """Yields this lane's engine, for a command, and the lane's server. Connects to no other server."""
    (server,) = (one for one in servers if number in [lane.number for lane in one.lanes])
    place = sorted(lane.number for lane in server.lanes).index(number)
    async with databases([server], schema, CONSOLE) as engines:
        yield engines[place], server


@asynccontextmanager
async def database(url: str, schema: Schema, session_name: str | None = None) -> AsyncIterator[AsyncEngine]:
    """Yields the engine of a service that has one lane."""
    async with databases([LaneServer(url, every_lane(1))], schema, session_name) as (engine,):
        yield engine


async def _away(servers: Sequence[LaneServer], schema: Schema, *, all_needed: bool) -> Sequence[LaneServer]:
    """Returns the servers that are away. Raises the fault of a server that answers, or Unavailable if no
    server answers, or if one is away although all are needed."""
    checks = (_require(server, schema) for server in servers)
    found = await asyncio.gather(*checks, return_exceptions=True)
    faults = [error for error in found if error is not None]
    wrong = [error for error in faults if not isinstance(error, Unavailable)]
    if wrong or (faults and all_needed) or len(faults) == len(servers):
        raise [*wrong, *faults][0]
    for error in faults:
        logger.warning("%s; its lanes are served once it is back", error)
    return [server for server, error in zip(servers, found, strict=True) if error is not None]


async def _require(server: LaneServer, schema: Schema) -> None:
    await require_lanes(server.url, server.lanes, schema)
    await require_fit(server.url, schema, lanes=server.lanes)


@asynccontextmanager
async def _checking(
    unchecked: Sequence[tuple[LaneServer, PatientPool]], schema: Schema
) -> AsyncIterator[None]:
    """Checks each server when it comes back. A server that does not fit ends the service."""

    async def check(server: LaneServer, pool: PatientPool) -> None:
        while pool.is_unchecked:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                await _require(server, schema)
            except Unavailable:
                continue
            pool.is_unchecked = False
            logger.info("%s is back", pool.trouble.server)

    async with asyncio.TaskGroup() as group:
        checks = [group.create_task(check(server, pool)) for server, pool in unchecked]
        yield
        for task in checks:
            task.cancel()

"""Brings the databases of a shop to what its code needs: their schemas, and the rights of their services."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kernel.adapters.lanes.lane import Lane
from kernel.adapters.postgres.checks.lanes import require_lanes
from kernel.adapters.postgres.checks.start import naming, require_migratable
from kernel.adapters.postgres.migrating.lanes import make_lanes
from kernel.adapters.postgres.migrating.migrate import migrate
from kernel.adapters.postgres.migrating.rights import give_rights
from kernel.adapters.postgres.tables import Schema
from kernel.domain.errors import ShopError
from kernel.settings import LaneServer, lane_servers, owner_url_of
from shop.databases import has_database
from shop.services import Shop

Servers = Sequence[tuple[LaneServer, LaneServer, Schema]]


async def require_given_databases(shop: Shop) -> None:
    """Raises Unavailable or SchemaMismatch, before embedded servers are made for the other services."""
    await _require_migratable(
        _servers(shop, [name for name in shop.stores if has_database(shop.settings[name])])
    )


def _servers(shop: Shop, services: Sequence[str]) -> Servers:
    """Each server as its service connects to it, and as its owner does."""
    found = []
    for name in services:
        schema, settings = shop.services[name].load_schema(), shop.settings[name]
        found += [
            (server, LaneServer(owner_url_of(settings, server), server.lanes), schema)
            for server in lane_servers(settings)
        ]
    return found


async def _require_migratable(servers: Servers) -> None:
    for _, owner, schema in servers:
        await require_lanes(owner.url, owner.lanes, schema, creates=True)
    await require_migratable([(owner.url, schema) for _, owner, schema in servers])


@contextmanager
def _naming(service: str, lane: Lane) -> Iterator[None]:
    """Adds the lane to the detail of an error."""
    try:
        yield
    except ShopError as error:
        if lane.schema is None:
            raise
        raise ShopError(error.code, f"{service}, {lane}: {error.detail}") from error


async def migrate_databases(shop: Shop, services: Sequence[str]) -> dict[str, int]:
    """Bring the databases to their newest revision, and the rights of the services' roles to what the code
    says; answers with the number of the revision, by service.

    All of them are checked before any is migrated.
    """
    servers = _servers(shop, services)
    await _require_migratable(servers)
    within_s = shop.common.shop_migrate_lock_within
    revisions: dict[str, int] = {}
    for server, owner, schema in servers:
        name = schema.service
        await make_lanes(owner.url, name, owner.lanes)
        for lane in owner.lanes:
            url = owner.url_of(lane)
            with _naming(name, lane), naming(name, url):
                revision = await migrate(url, name, schema.versions, lock_within_s=within_s)
                await give_rights(url, server.url_of(lane), schema)
            revisions[name] = min(revision, revisions.get(name, revision))
    return revisions

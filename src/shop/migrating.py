"""Migrates the databases of a shop to the schemas of its code, and grants services their rights."""

import logging
from collections.abc import Sequence

from kernel.adapters.postgres.checks.lanes import named, require_lanes
from kernel.adapters.postgres.checks.start import naming, require_migratable, where
from kernel.adapters.postgres.migrating.lanes import make_lanes
from kernel.adapters.postgres.migrating.migrate import migrate
from kernel.adapters.postgres.migrating.rights import give_rights
from kernel.adapters.postgres.tables import Schema
from kernel.domain.errors import ShopError
from kernel.lane_servers import LaneServer, lane_servers, owner_url_of, say_what_is_not_used
from shop.databases import has_database
from shop.services import Shop

logger = logging.getLogger(__name__)

Servers = Sequence[tuple[LaneServer, LaneServer, Schema]]


async def require_given_databases(shop: Shop) -> None:
    """Checks the databases of the settings first. Raises Unavailable or SchemaMismatch."""
    await _require_migratable(
        _servers(shop, [name for name in shop.stores if has_database(shop.settings[name])])
    )


def _servers(shop: Shop, services: Sequence[str]) -> Servers:
    """Lists each server with the URL of the service's role, the URL of the owner's role, and the schema."""
    found = []
    for name in services:
        schema, settings = shop.services[name].load_schema(), shop.settings[name]
        found += [
            (server, LaneServer(owner_url_of(settings, server), server.lanes), schema)
            for server in lane_servers(settings)
        ]
    return found


async def _require_migratable(servers: Servers) -> None:
    """Warns if a server has none of its lanes yet, but another server has: its URL may be wrong."""
    found: dict[str, list[tuple[LaneServer, bool]]] = {}
    for server, owner, schema in servers:
        name = schema.service
        setting = "" if owner.url == server.url else f"{name.upper()}_MIGRATION_URL"
        made = await require_lanes(owner.url, owner.lanes, schema, creates=True, setting=setting)
        found.setdefault(name, []).append((owner, bool(made)))
    await require_migratable([(owner.url, schema) for _, owner, schema in servers])
    for name, of_service in found.items():
        for owner, is_made in of_service:
            if not is_made and any(made for _, made in of_service):
                numbers = named([lane.number for lane in owner.lanes])
                logger.warning(
                    "%s has none of its %s yet, other servers have theirs", where(name, owner.url), numbers
                )


async def migrate_databases(shop: Shop, services: Sequence[str]) -> dict[str, int]:
    """Migrates the databases to their newest revision, and grants the services' roles the rights that the
    code declares. Returns the revision number of each service.

    All databases are checked before the first one is migrated.
    """
    servers = _servers(shop, services)
    for name in services:
        say_what_is_not_used(shop.settings[name])
    await _require_migratable(servers)
    within_s = shop.common.shop_migrate_lock_within
    revisions: dict[str, int] = {}
    for server, owner, schema in servers:
        name = schema.service
        await make_lanes(owner.url, name, owner.lanes)
        for lane in owner.lanes:
            url = owner.url_of(lane)
            try:
                with naming(name, url):
                    revision = await migrate(url, name, schema.versions, lock_within_s=within_s)
                    await give_rights(url, server.url_of(lane), schema)
            except ShopError as error:
                if lane.schema is None:
                    raise
                raise ShopError(error.code, f"{name}, {lane}: {error.detail}") from error
            revisions[name] = min(revision, revisions.get(name, revision))
    return revisions

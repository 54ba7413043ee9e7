"""Brings the databases of a shop to what its code needs: their schemas, and the rights of their services."""

from collections.abc import Sequence

from kernel.adapters.postgres.checks.start import naming, require_migratable
from kernel.adapters.postgres.migrating.migrate import migrate
from kernel.adapters.postgres.migrating.rights import give_rights
from kernel.adapters.postgres.tables import Schema
from kernel.settings import required
from shop.databases import migration_url
from shop.services import Shop


async def require_given_databases(shop: Shop) -> None:
    """Raises Unavailable or SchemaMismatch, before embedded servers are made for the other services."""
    given = [name for name in shop.stores if shop.settings[name].database_url]
    await require_migratable(_as_owner(shop, given))


def _as_owner(shop: Shop, services: Sequence[str]) -> list[tuple[str, Schema]]:
    return [(migration_url(shop, name), shop.services[name].load_schema()) for name in services]


async def migrate_databases(shop: Shop, services: Sequence[str]) -> dict[str, int]:
    """Bring the databases to their newest revision, and the rights of the services' roles to what the code
    says; answers with the number of the revision, by service.

    All of them are checked before any is migrated.
    """
    databases = _as_owner(shop, services)
    await require_migratable(databases)
    within_s = shop.common.shop_migrate_lock_within
    revisions = {}
    for url, schema in databases:
        name = schema.service
        with naming(name, url):
            revisions[name] = await migrate(url, name, schema.versions, lock_within_s=within_s)
            await give_rights(url, required(shop.settings[name], "database_url"), schema)
    return revisions

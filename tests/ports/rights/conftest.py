"""Databases as operators have them: an owner who is no superuser, and a role for the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
import pytest

from shop.migrating import migrate_databases
from shop.services import load_shop
from tests.servers.database import connected


@dataclass(frozen=True)
class Roles:
    """A database of a service with its two roles, and a superuser's connection to it."""

    service: str
    owner_url: str
    url: str
    superuser: asyncpg.Connection

    @property
    def owner(self) -> str:
        return str(urlsplit(self.owner_url).username)

    @property
    def role(self) -> str:
        return str(urlsplit(self.url).username)

    async def migrate(self, **changes: str) -> None:
        """Migrates as `shop migrate` does; `changes` are other settings."""
        name = self.service.upper()
        settings = {f"{name}_DATABASE_URL": self.url, f"{name}_MIGRATION_URL": self.owner_url}
        await migrate_databases(load_shop(settings | changes), (self.service,))


@asynccontextmanager
async def two_roles(server_url: str, service: str, name: str) -> AsyncIterator[Roles]:
    """A new database of this name, not migrated yet."""
    server = urlsplit(server_url)

    def url(user: str) -> str:
        return server._replace(netloc=f"{user}:x@{server.hostname}:{server.port}", path=f"/{name}").geturl()

    owner, role = f"{name}_owner", f"{name}-service"
    async with connected(server_url) as superuser:
        for statement in (
            f"CREATE ROLE {owner} LOGIN PASSWORD 'x'",
            f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'x'",
            f"CREATE DATABASE {name} OWNER {owner}",
        ):
            await superuser.execute(statement)
    async with connected(server._replace(path=f"/{name}").geturl()) as superuser:
        yield Roles(service, url(owner), url(role), superuser)


@pytest.fixture(scope="package")
async def both(postgres_server: str) -> AsyncIterator[dict[str, Roles]]:
    """The migrated databases by service. A test that changes one uses `scrap` instead."""
    async with (
        two_roles(postgres_server, "orders", "rights_orders") as orders,
        two_roles(postgres_server, "payments", "rights_payments") as payments,
    ):
        found = {"orders": orders, "payments": payments}
        for roles in found.values():
            await roles.migrate()
        yield found


@pytest.fixture(scope="package")
async def scrap(postgres_server: str) -> AsyncIterator[Roles]:
    """A database of the orders that tests may change; the next `migrate` mends it."""
    async with two_roles(postgres_server, "orders", "rights_scrap") as roles:
        await roles.migrate()
        yield roles

"""The script that makes the second role of a database works when psql runs it as in PostgreSQL's image."""

import asyncio
import os
import subprocess
from urllib.parse import urlsplit

import asyncpg

from kernel.adapters.embedded.account import Account
from kernel.adapters.embedded.binaries import find_binaries
from tests.deploy.compose import ROOT, SERVICE_ROLE
from tests.deploy.manifests import of_kind
from tests.ports.rights.trying import is_refused
from tests.servers.database import connected

PASSWORD = "it's a 'secret' \\ $1"


async def test_the_role_is_made_with_its_password_and_without_any_right(postgres_server: str) -> None:
    async with connected(postgres_server) as owner:
        await owner.execute("DROP ROLE service")  # Nobody uses it on this server.
        await owner.execute("CREATE TABLE kept (n int)")
        command = [find_binaries(Account()) / "psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", postgres_server]
        command += ["-f", ROOT / SERVICE_ROLE]
        environment = {**os.environ, "SERVICE_PASSWORD": PASSWORD}
        ran = await asyncio.create_subprocess_exec(*command, env=environment, stderr=subprocess.PIPE)
        _, said = await ran.communicate()
        assert ran.returncode == 0, said
        where = urlsplit(postgres_server)
        service = await asyncpg.connect(
            host=where.hostname, port=where.port, user="service", password=PASSWORD, database=where.path[1:]
        )
        try:
            for refused in ("SELECT * FROM kept", "CREATE TABLE mine (n int)", "CREATE ROLE mine"):
                assert await is_refused(service, refused), refused
        finally:
            await service.close()
            await owner.execute("DROP TABLE kept")


def test_the_overlay_dev_runs_it_too() -> None:
    script = (ROOT / SERVICE_ROLE).read_text()
    for database in ("orders", "payments"):
        assert of_kind("dev", "ConfigMap")[f"{database}-db-roles"]["data"] == {"service.sql": script}
        (container,) = of_kind("dev", "StatefulSet")[f"{database}-db"]["spec"]["template"]["spec"][
            "containers"
        ]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert mounts["/docker-entrypoint-initdb.d"] == "roles"
        (given,) = (one for one in container["env"] if one["name"] == "SERVICE_PASSWORD")
        assert given["valueFrom"]["secretKeyRef"] == {"name": f"{database}-db-service", "key": "password"}

"""Runs the containers of docker-compose.yml as plain processes, on servers of this machine."""

from pathlib import Path
from urllib.parse import urlsplit

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from tests.deploy.compose import CONTAINERS, JOBS, OURS, SERVICES, image_ports
from tests.deploy.image import Image
from tests.servers.postgres import Template
from tests.servers.process import Process, start_together
from tests.servers.shop import Shop


class ComposeShop(Shop):
    """Starts as the file says: first the databases, then the jobs, then each service after its dependencies.

    Commands and variables are those of the file. Only the addresses of servers and the ports differ, so that
    several shops can run on one machine.
    """

    def __init__(
        self, directory: Path, image: Image, broker_url: str, template: Template, *, own_users: bool
    ) -> None:
        super().__init__(directory)
        self.image = image
        self.databases = {
            name: EmbeddedPostgres(
                template.copy_to(directory / name), database=container["environment"]["POSTGRES_DB"]
            )
            for name, container in CONTAINERS.items()
            if container.get("image", "").startswith("postgres")
        }
        # With `own_users` the broker has the users of the file, so the address keeps theirs.
        netloc = urlsplit(broker_url).netloc
        self._addresses = {"rabbitmq:5672": netloc.rpartition("@")[2] if own_users else netloc}
        for service, port in image_ports().items():
            self._addresses[f"{service}:{port}"] = urlsplit(self.urls[service]).netloc

    async def start(self) -> None:
        for name, database in self.databases.items():
            owner = CONTAINERS[name]["environment"]["POSTGRES_USER"]
            self._addresses[f"{owner}@{name}:5432"] = urlsplit(database.start()).netloc
            self._addresses[f"service@{name}:5432"] = urlsplit(database.service_url).netloc
        for job in (self.container(name) for name in JOBS if "profiles" not in OURS[name]):
            await job.succeed()
        self.processes = {name: self.container(name) for name in SERVICES}
        await start_together(self.processes.values())

    def container(self, name: str) -> Process:
        """A container of the file as a process that is not started yet."""
        variables = {key: self._here(str(value)) for key, value in OURS[name]["environment"].items()}
        ready_at = [self.urls[name]] if name in SERVICES else []
        return self.image.process(
            *OURS[name]["command"],
            variables={**variables, **self.settings, "BIND_HOST": "127.0.0.1"},
            logs=self.directory / "logs",
            ready_at=ready_at,
        )

    def _here(self, value: str) -> str:
        """The value of a variable, with the address of the file replaced by that of the local server."""
        url = urlsplit(value)
        account, at, place = url.netloc.rpartition("@")
        address = self._addresses.get(f"{url.username}@{place}", self._addresses.get(place))
        if address and at and "@" not in address:
            address = f"{account}@{address}"
        return url._replace(netloc=address).geturl() if address else value

    async def stop(self) -> None:
        await super().stop()
        for database in self.databases.values():
            database.stop()

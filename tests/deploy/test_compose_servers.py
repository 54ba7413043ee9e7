"""In docker-compose.yml each service reaches its servers, by their passwords, and after they are set up."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kernel.adapters.rabbit.definitions import OPERATOR, definitions, password_variable
from shop.services import load_shop
from tests.deploy.compose import CONTAINERS, MIGRATIONS, OURS, ROOT, SERVICES, image_ports

# Not needed here: each service has one replica, which counts calls by itself.
OF_NOBODY = ("SHOP_RATE_LIMIT_URL",)
FOREIGN_PORTS = {"postgresql": 5432, "amqp": 5672}

each_of_ours = pytest.mark.parametrize("name", OURS)
each_service = pytest.mark.parametrize("name", SERVICES)


@each_of_ours
def test_every_address_leads_to_another_container_and_the_port_it_listens_on(name: str) -> None:
    environment = OURS[name]["environment"]
    addresses = [value for key, value in environment.items() if key.endswith("_URL") and key not in OF_NOBODY]
    assert addresses
    assert [environment[key] for key in OF_NOBODY] == [""] * len(OF_NOBODY)
    for url in map(urlsplit, addresses):
        assert url.hostname in CONTAINERS
        assert url.port == FOREIGN_PORTS.get(url.scheme, image_ports().get(url.hostname))


@each_of_ours
def test_every_address_of_a_server_has_the_name_and_password_of_the_server(name: str) -> None:
    environment = OURS[name]["environment"]
    for key in {key for key in environment if key.endswith(("_DATABASE_URL", "_MIGRATION_URL"))}:
        url = urlsplit(environment[key])
        given = CONTAINERS[str(url.hostname)]["environment"]
        assert url.path == f"/{given['POSTGRES_DB']}" == f"/{key.split('_')[0].lower()}"
        roles = {
            "DATABASE": ("service", given["SERVICE_PASSWORD"]),
            "MIGRATION": (given["POSTGRES_USER"], given["POSTGRES_PASSWORD"]),
        }
        assert (url.username, url.password) == roles[key.split("_")[1]]
        assert len(set(roles.values())) == 2
    if "RABBITMQ_URL" in environment:
        url = urlsplit(environment["RABBITMQ_URL"])
        given = CONTAINERS[str(url.hostname)]["environment"]
        assert url.username == (name if name in SERVICES else OPERATOR), "each is a user of its own"
        assert url.password == given[password_variable(str(url.username))]


def test_the_broker_is_given_a_password_for_each_of_its_users() -> None:
    users = definitions(load_shop({}).catalog)["users"]
    wanted = {password_variable(user["name"]) for user in users}
    assert set(CONTAINERS["rabbitmq"]["environment"]) == wanted
    passwords = list(CONTAINERS["rabbitmq"]["environment"].values())
    assert len(set(passwords)) == len(passwords)


@each_service
def test_every_service_waits_for_the_topology_that_its_user_may_not_declare(name: str) -> None:
    waited_for, before = set[str](), [name]
    while before:
        found = CONTAINERS[before.pop()].get("depends_on", {})
        waited_for |= set(found)
        before += found
    assert OURS["declare-topology"]["command"] == ["broker", "declare"]
    assert OURS["declare-topology"]["depends_on"]["rabbitmq"]["condition"] == "service_healthy"
    assert "declare-topology" in waited_for


def test_the_broker_loads_what_its_start_writes_from_the_files_that_it_is_given() -> None:
    """The file is private, because it has the passwords."""
    broker, folder = CONTAINERS["rabbitmq"], ROOT / "deploy/rabbitmq"
    mounted = dict(volume.split(":")[:2][::-1] for volume in broker["volumes"] if volume.startswith("./"))
    assert mounted["/etc/shop"] == "./deploy/rabbitmq"
    assert mounted["/etc/rabbitmq/conf.d/20-shop.conf"] == "./deploy/rabbitmq/shop.conf"
    assert broker["entrypoint"] == ["sh", "/etc/shop/start.sh"]
    written = re.findall(r"umask 077 && .*> (\S+)\)", (folder / "start.sh").read_text())
    loaded = re.findall(r"^load_definitions = (\S+)$", (folder / "shop.conf").read_text(), re.MULTILINE)
    assert written == loaded
    assert broker["tmpfs"] == [str(Path(loaded[0]).parent)]


@pytest.mark.parametrize("name", ["orders", "payments"])
def test_every_service_waits_for_the_migration_of_its_database(name: str) -> None:
    service, job = OURS[name], OURS[f"migrate-{name}"]
    variable = f"{name.upper()}_DATABASE_URL"
    assert service["depends_on"][f"migrate-{name}"]["condition"] == "service_completed_successfully"
    assert job["command"] == ["migrate", name]
    assert job["environment"][variable] == service["environment"][variable]
    database = str(urlsplit(job["environment"][variable]).hostname)
    assert job["depends_on"][database]["condition"] == "service_healthy"


@each_of_ours
def test_only_a_migration_has_the_owner_of_a_database(name: str) -> None:
    owners = {key for key in OURS[name]["environment"] if key.endswith("_MIGRATION_URL")}
    assert owners == ({f"{OURS[name]['command'][1].upper()}_MIGRATION_URL"} if name in MIGRATIONS else set())

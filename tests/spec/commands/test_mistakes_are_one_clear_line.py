"""A mistake of the operator is one clear line; nothing starts, and no secret is told."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from shop.cli import cli
from tests.servers.ports import free_port
from tests.servers.postgres import create_database
from tests.servers.process import Process
from tests.servers.shop import SERVICES, Embedded, ThreeServices
from tests.spec.scenario import for_each

SECRET = "s3cr3t"
PROCESSES_AT_ONCE = 4

# Some of each; tests/unit/kernel/test_settings.py has the whole table of what is decided before any start.
WRONG_SETTINGS = [
    ("GATEWAY_PORT", "50o3"),
    ("ORDERS_URL", "orders:5001"),
    ("SHOP_LEGACY_ROUTES", "maybe"),
    ("SHOP_AUTH", "jwt"),
    ("LOG_LEVEL", "LOUD"),
]
WRONG_BROKERS = [
    ("orders", f"amqp://shop:{SECRET}@127.0.0.1:port"),
    ("orders", f"amqp://shop:{SECRET}@127.0.0.1:{{nobody}}/"),
    ("payments", f"amqp://shop:{SECRET}@127.0.0.1:{{nobody}}/"),
]
WRONG_DATABASES = [
    ("orders", f"mysql://shop:{SECRET}@127.0.0.1/shop"),
    ("orders", f"postgresql://shop:{SECRET}@127.0.0.1:{{server}}/shop"),
    ("orders", f"postgresql://shop:{SECRET}@127.0.0.1:{{nobody}}/shop"),
    ("payments", f"postgresql://shop:{SECRET}@127.0.0.1:{{nobody}}/shop"),
]
NO_COMMANDS = [("nonsense",), ("serve",), ("serve", "nobody"), ("migrate", "nobody"), ("up", "--nonsense")]
COMMANDS = [
    "up",
    "serve",
    "migrate",
    "demo",
    "audit",
    "broker",
    "consumers",
    "dead-letters",
    "explain",
    "openapi",
    "token",
]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


async def assert_refuses_to_start(process: Process, named: str) -> None:
    """The process ends with an error code and one line on stderr that matches `named`."""
    process.spawn()
    try:
        code = await process.ended(within=30)
    finally:
        await process.stop()
    assert code != 0
    lines = [line for line in process.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, process.last_words
    assert re.search(named, lines[0], re.IGNORECASE), f"{named} is not named: {lines[0]}"
    assert "Traceback" not in process.stdout + process.stderr
    assert SECRET not in process.stdout + process.stderr


async def test_a_setting_with_a_wrong_value_is_named(scratch: Path) -> None:
    async def refused(row: tuple[str, str]) -> None:
        setting, value = row
        urls = {"ORDERS_URL": "http://127.0.0.1:1", "PAYMENTS_URL": "http://127.0.0.1:1"}
        settings = {"GATEWAY_PORT": str(free_port()), **urls, setting: value}
        process = Process("serve", "gateway", settings=settings, logs=scratch / "mistakes")
        await assert_refuses_to_start(process, setting)

    await for_each(WRONG_SETTINGS, refused, at_once=PROCESSES_AT_ONCE)


async def test_all_settings_that_a_service_lacks_are_named_at_once(scratch: Path) -> None:
    process = Process("serve", "orders", settings={"SHOP_AUTH": "jwt"}, logs=scratch / "mistakes")
    lacking = (
        "ORDERS_DATABASE_URL, RABBITMQ_URL are not set; SHOP_AUTH=jwt needs SHOP_JWT_ISSUER, SHOP_JWT_KEYS"
    )
    await assert_refuses_to_start(process, lacking)


async def test_nothing_of_the_embedded_shop_starts_with_a_wrong_setting(scratch: Path) -> None:
    data = scratch / "never-made"
    settings = {"SHOP_DATA_DIR": str(data), "ORDERS_PORT": "5oo1"}
    process = Process("up", settings=settings, logs=scratch / "mistakes")
    await assert_refuses_to_start(process, "ORDERS_PORT")
    assert not data.exists()


async def test_a_wrong_broker_is_named(three_services: ThreeServices) -> None:
    async def refused(row: tuple[str, str]) -> None:
        service, url = row
        port = {f"{service.upper()}_PORT": str(free_port())}
        process = three_services.serve(service, RABBITMQ_URL=url.format(nobody=free_port()), **port)
        await assert_refuses_to_start(process, "RABBITMQ_URL|RabbitMQ")

    await for_each(WRONG_BROKERS, refused, at_once=len(WRONG_BROKERS))


async def test_a_wrong_database_is_named(three_services: ThreeServices) -> None:
    async def refused(row: tuple[str, str]) -> None:
        service, url = row
        setting = f"{service.upper()}_DATABASE_URL"
        server = urlsplit(three_services.database_settings[setting]).port
        settings = {
            f"{service.upper()}_PORT": str(free_port()),
            setting: url.format(nobody=free_port(), server=server),
        }
        process = three_services.serve(service, **settings)
        await assert_refuses_to_start(process, f"{setting}|{service} database")

    await for_each(WRONG_DATABASES, refused, at_once=PROCESSES_AT_ONCE)


async def test_a_database_that_is_not_migrated_is_named_with_the_cure(three_services: ThreeServices) -> None:
    async def refused(service: str) -> None:
        setting = f"{service.upper()}_DATABASE_URL"
        empty = await create_database(three_services.database_settings[setting], f"empty_{service}")
        settings = {f"{service.upper()}_PORT": str(free_port()), setting: empty}
        await assert_refuses_to_start(three_services.serve(service, **settings), f"shop migrate.*{service}")

    await for_each(["orders", "payments"], refused)


async def test_migrating_a_database_that_is_away_names_it(scratch: Path) -> None:
    url = f"postgresql://shop:{SECRET}@127.0.0.1:{free_port()}/shop"
    settings = {"ORDERS_DATABASE_URL": url, "PAYMENTS_DATABASE_URL": url}
    process = Process("migrate", "orders", settings=settings, logs=scratch / "mistakes")
    await assert_refuses_to_start(process, "ORDERS_DATABASE_URL|orders database")


async def test_a_taken_port_is_named(three_services: ThreeServices, taken_port: int) -> None:
    async def refused(service: str) -> None:
        process = three_services.serve(service, **{f"{service.upper()}_PORT": str(taken_port)})
        await assert_refuses_to_start(process, f"{service.upper()}_PORT|{taken_port}")

    await for_each(SERVICES, refused, at_once=PROCESSES_AT_ONCE)


async def test_a_taken_port_of_the_embedded_shop_is_named(scratch: Path, taken_port: int) -> None:
    shop = Embedded(scratch / "taken-port")
    await assert_refuses_to_start(
        shop.process("up", PAYMENTS_PORT=str(taken_port)), f"PAYMENTS_PORT|{taken_port}"
    )


def told(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="shop")


@pytest.mark.parametrize("arguments", NO_COMMANDS, ids=" ".join)
def test_a_command_that_does_not_exist_is_an_error(arguments: tuple[str, ...]) -> None:
    refused = told(*arguments)
    assert refused.exit_code != 0
    assert refused.stderr
    assert "Traceback" not in refused.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    helped = told(command, "--help")
    assert (helped.exit_code, f"shop {command}" in helped.stdout) == (0, True)


def test_help_names_the_commands_that_exist_and_no_others() -> None:
    helped = told("--help")
    assert helped.exit_code == 0
    for command in COMMANDS:
        assert re.search(rf"^\W*{command}\b", helped.stdout, re.MULTILINE), command
    for later in ("export", "erase"):
        assert later not in helped.stdout

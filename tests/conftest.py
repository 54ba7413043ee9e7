"""Servers that suites share: each is started once, and only if a test of this run asks for it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from tests.servers.broker import Broker
from tests.servers.postgres import Template
from tests.servers.rabbitmq import NoBroker
from tests.servers.shop import Embedded

pytest.register_assert_rewrite("tests.spec.scenario", "tests.spec.load")

# What the disk keeps is tried on servers of its own.
OPTIONS = {"fsync": "off", "deadlock_timeout": "50ms"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs no broker goes first: it is quick to tell of mistakes, and the broker starts meanwhile."""
    items.sort(key=needs_broker)


def needs_broker(item: pytest.Item) -> bool:
    return asks_for(
        item, "broker", "rabbit", "three_services", world="rabbit", shop="three services over RabbitMQ"
    )


def needs_embedded(item: pytest.Item) -> bool:
    return asks_for(item, "embedded", shop="embedded")


def asks_for(item: pytest.Item, *fixtures: str, **parameters: str) -> bool:
    """Whether the test uses one of these fixtures, or one of these parameters has this value."""
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return not set(fixtures).isdisjoint(getattr(item, "fixturenames", ())) or any(
        given.get(name) == value for name, value in parameters.items()
    )


@pytest.fixture(scope="session")
def scratch(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory that servers under another user can reach too; kept, and named, when a test failed."""
    directory = Path(tempfile.mkdtemp(prefix="shop-tests-"))
    directory.chmod(0o755)
    yield directory
    if request.session.testsfailed:
        print(f"\nThe logs of this run are in {directory}.")
    else:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def coming_broker(request: pytest.FixtureRequest, scratch: Path) -> Iterator[Broker]:
    """Takes 6 s and more until it answers, so it begins with the first test of a run that needs it."""
    broker = Broker(scratch / "rabbitmq")
    try:
        if any(map(needs_broker, request.session.items)):
            broker.begin()
        yield broker
    finally:
        broker.close()


@pytest.fixture(scope="session", autouse=True)
def coming_embedded(request: pytest.FixtureRequest, scratch: Path) -> Iterator[Embedded]:
    """Makes its databases first, so it begins with the first test of a run that needs it."""
    shop = Embedded(scratch / "embedded")
    if any(map(needs_embedded, request.session.items)):
        shop.begin()
    yield shop
    if shop.up.runs:
        shop.up.kill()


@pytest.fixture(scope="session")
def broker(coming_broker: Broker) -> str:
    """The URL of a real RabbitMQ; without one the run ends with a sentence that says what to do."""
    try:
        return coming_broker.url()
    except NoBroker as missing:
        pytest.exit(str(missing), returncode=1)


@pytest.fixture(scope="session")
def template(scratch: Path) -> Template:
    return Template(scratch / "template")


@pytest.fixture(scope="session")
def postgres_server(scratch: Path, template: Template) -> Iterator[str]:
    """The URL of a server for what never outlives its test; the databases orders and payments are empty."""
    with EmbeddedPostgres(
        template.copy_to(scratch / "postgres"), database="orders", options=OPTIONS
    ) as server:
        yield server.url

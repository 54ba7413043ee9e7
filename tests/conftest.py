"""Servers that suites share: each is started once, and only if a test of this run asks for it."""

import logging
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.workermanage import WorkerController

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from tests.groups import ByGroup, ask_for_groups, begin_with_servers, only_here, tell_groups
from tests.servers.broker import Broker
from tests.servers.postgres import Template
from tests.servers.rabbitmq import NoBroker
from tests.servers.redis import PrivateRedis
from tests.servers.shop import Embedded

pytest.register_assert_rewrite(
    "tests.spec.scenario", "tests.spec.store", "tests.spec.load", "tests.spec.keyed"
)

SCRATCH = pytest.StashKey[Path]()

# Tests of what the disk keeps have servers of their own.
OPTIONS = {"fsync": "off", "deadlock_timeout": "50ms"}


@pytest.fixture(autouse=True)
def _log_level_is_restored() -> Iterator[None]:
    """Otherwise later tests that read log lines would see those of libraries."""
    level = logging.getLogger().level
    yield
    assert logging.getLogger().level == level


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    begin_with_servers(items)
    tell_groups(config, items)


def pytest_configure_node(node: WorkerController) -> None:
    ask_for_groups(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByGroup:
    return ByGroup(config, log)


@pytest.fixture(scope="session")
def scratch(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory that servers under another user can reach too; kept, and named, when a test failed."""
    directory = Path(tempfile.mkdtemp(prefix="shop-tests-"))
    directory.chmod(0o755)
    request.session.stash[SCRATCH] = directory
    yield directory
    if not request.session.testsfailed:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and SCRATCH in item.session.stash:
        report.sections.append(("servers", f"Their logs are in {item.session.stash[SCRATCH]}."))
    return report


@pytest.fixture(scope="session")
def coming_broker(scratch: Path) -> Iterator[Broker]:
    """Takes 6 s and more until it answers, so it begins with the first test of its group."""
    broker = Broker(scratch / "rabbitmq")
    try:
        broker.begin()
        yield broker
    finally:
        broker.close()


@pytest.fixture(scope="session")
def coming_embedded(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Makes its databases first, so it begins with the first test of its group."""
    only_here("embedded", tmp_path_factory)
    shop = Embedded(scratch / "embedded")
    shop.begin()
    yield shop
    if shop.up.runs:
        shop.up.kill()


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest, coming_broker: Broker) -> str:
    """The URL of a real RabbitMQ; without one the run ends with a sentence that says what to do."""
    try:
        return coming_broker.url()
    except NoBroker as missing:
        request.session.shouldfail = str(missing)
        pytest.fail(str(missing), pytrace=False)


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


@pytest.fixture(scope="session")
def redis_server(scratch: Path) -> Iterator[PrivateRedis]:
    """For counters that no other test has the names of; a test that ends it starts it again."""
    server = PrivateRedis(scratch / "redis")
    server.start()
    yield server
    server.kill()

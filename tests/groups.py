"""Which tests run in one process, one after another, so that each server is started once.

xdist has groups of its own, which are lost with pytest 9.2: it writes them into the id of a test, which is no
longer kept where xdist writes. Here the first of the workers tells the groups to the scheduler in a file.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Groups that run side by side, each with servers of its own. Each file without a server is a group too, and a
# free worker takes the next one.
SERVICES, EMBEDDED, BROKER, POSTGRES = "services", "embedded", "broker", "postgres"
# The server that starts with the first test of a group, and the tests that this group runs meanwhile.
COMING = {SERVICES: "coming_broker", EMBEDDED: "coming_embedded", BROKER: "coming_broker"}
MEANWHILE = {
    "tests/contracts": SERVICES,
    "tests/unit/orders": SERVICES,
    "tests/unit/payments": EMBEDDED,
    "tests/unit/gateway/application": BROKER,
}

TOLD = pytest.StashKey[Path]()


def group_of(item: pytest.Item) -> str:
    return server_of(item) or meanwhile(item) or item.nodeid.partition("::")[0]


def server_of(item: pytest.Item) -> str | None:
    if asks_for(item, "three_services", shop="three services over RabbitMQ"):
        return SERVICES
    if asks_for(item, "embedded", shop="embedded"):
        return EMBEDDED
    if asks_for(item, "broker", "rabbit", world="rabbit"):
        return BROKER
    if asks_for(
        item, "postgres_server", "template", "healthy", world="postgres", payments_world="postgres_payments"
    ):
        return POSTGRES
    return None


def meanwhile(item: pytest.Item) -> str | None:
    return next((group for path, group in MEANWHILE.items() if item.nodeid.startswith(path)), None)


def asks_for(item: pytest.Item, *fixtures: str, **parameters: str) -> bool:
    """Whether the test uses one of these fixtures, or one of these parameters has this value."""
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return not set(fixtures).isdisjoint(getattr(item, "fixturenames", ())) or any(
        given.get(name) == value for name, value in parameters.items()
    )


def begin_with_servers(items: list[pytest.Item]) -> None:
    """Orders the tests: those without a server first, which find mistakes soon while the servers start."""
    needed = {server_of(item) for item in items} & COMING.keys()

    def turn(item: pytest.Item) -> int:
        """xdist gives out the groups in the order in which they begin: first those that take longest."""
        server = server_of(item)
        return [*COMING].index(server) + 2 if server in COMING else meanwhile(item) not in needed

    items.sort(key=turn)
    for item in items:
        if (group := group_of(item)) in needed and isinstance(item, pytest.Function):
            # A list of its own: that of pytest is one for all rows of a parametrized test.
            item.fixturenames = [COMING[group], *item.fixturenames]


def ask_for_groups(node: WorkerController) -> None:
    if TOLD not in node.config.stash:
        folder = tempfile.mkdtemp(prefix="shop-groups-")
        node.config.add_cleanup(lambda: shutil.rmtree(folder))
        node.config.stash[TOLD] = Path(folder) / "groups.json"
    node.workerinput["groups"] = str(node.config.stash[TOLD])


def tell_groups(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    worker = getattr(config, "workerinput", {})
    if worker.get("workerid") == "gw0":
        Path(worker["groups"]).write_text(json.dumps({item.nodeid: group_of(item) for item in items}))


class ByGroup(LoadScopeScheduling):
    """A worker that is free takes the next group."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._told = config.stash

    @cached_property
    def _groups(self) -> dict[str, str]:
        groups: dict[str, str] = json.loads(self._told[TOLD].read_text())
        return groups

    def _split_scope(self, nodeid: str) -> str:
        return self._groups[nodeid]


def only_here(server: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Raises FileExistsError where another worker of this run has this server, too."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        (tmp_path_factory.getbasetemp().parent / f"{server} has a worker").mkdir()

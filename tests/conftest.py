"""Servers that suites share: each is started when the first test asks for it, and once."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.rabbitmq import NoBroker, broker_url

pytest.register_assert_rewrite("tests.spec.scenario", "tests.spec.load")


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


@pytest.fixture(scope="session")
def broker(scratch: Path) -> Iterator[str]:
    """The URL of a real RabbitMQ; without one the run ends with a sentence that says what to do."""
    try:
        with broker_url(scratch / "rabbitmq") as url:
            yield url
    except NoBroker as missing:
        pytest.exit(str(missing), returncode=1)

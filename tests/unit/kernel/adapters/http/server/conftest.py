from collections.abc import AsyncIterator

import pytest

from tests.servers.echo import Echo, echoing
from tests.servers.raw import Raw, connected


@pytest.fixture(scope="session")
async def shared_echo() -> AsyncIterator[Echo]:
    async with echoing() as echo:
        yield echo


@pytest.fixture
def echo(shared_echo: Echo) -> Echo:
    """Our HTTP server, which has seen nothing yet."""
    shared_echo.forget()
    return shared_echo


@pytest.fixture
async def raw(echo: Echo) -> AsyncIterator[Raw]:
    async with connected(echo.url) as raw:
        yield raw

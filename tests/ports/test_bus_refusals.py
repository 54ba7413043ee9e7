"""A broker that cannot be used is named in one line."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from yarl import URL

from kernel.adapters.rabbit.bus import RabbitBus
from kernel.domain.errors import Invalid, Unavailable
from tests.catalog import CATALOG


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Accepts connections, and never says a word."""

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(ignore, "127.0.0.1", 0) as server:
        yield f"amqp://shop:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def refusal(urls: Sequence[str]) -> tuple[str, float]:
    """The words of the failed start, and its seconds."""
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        async with RabbitBus(urls, "orders", CATALOG):
            pass
    assert "secret" not in caught.value.detail
    assert "\n" not in caught.value.detail
    return caught.value.detail, time.monotonic() - started


async def test_a_broker_that_is_not_there_or_says_nothing_is_named_after_a_few_seconds_of_tries() -> None:
    async with silent_server() as silent:
        (refused, refused_s), (unanswered, unanswered_s) = await asyncio.gather(
            refusal(["amqp://shop:secret@127.0.0.1:1/"]), refusal([silent])
        )
    assert refused == "rabbitmq at 127.0.0.1:1: connection refused"
    assert unanswered == f"rabbitmq at 127.0.0.1:{URL(silent).port}: no answer in time"
    assert refused_s < 15
    assert unanswered_s < 15


async def test_a_wrong_password_is_told_at_once(broker: str) -> None:
    detail, seconds = await refusal([str(URL(broker).with_user("nobody").with_password("secret"))])
    assert "refuses the user 'nobody' or its password: 403 ACCESS_REFUSED" in detail
    assert seconds < 3


async def test_an_unknown_virtual_host_is_told_at_once(broker: str) -> None:
    detail, seconds = await refusal([str(URL(broker).with_path("/no-such-place"))])
    assert "refuses the virtual host 'no-such-place' to the user 'guest': 530 NOT_ALLOWED" in detail
    assert seconds < 3


@pytest.mark.parametrize(
    "url",
    [
        "",
        "garbage",
        "http://localhost",
        "amqp://",
        "amqp://:secret@/vhost",
        "amqp://localhost:secret/",
        "amqp://a b",
    ],
)
def test_a_malformed_url_is_told_before_any_try(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        RabbitBus([url], "orders", CATALOG)
    assert caught.value.errors[0].field == "RABBITMQ_URL"
    assert "secret" not in caught.value.detail

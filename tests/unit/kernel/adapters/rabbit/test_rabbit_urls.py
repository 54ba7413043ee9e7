"""What a broker's library raises is told in words."""

import asyncio

import pytest
from aiormq.exceptions import ChannelInvalidStateError
from yarl import URL

from kernel.adapters.rabbit.urls import away

CLOSED = ChannelInvalidStateError('<Channel: "1" at 0x7f054d1aa9e0> closed')


@pytest.mark.parametrize("error", [CLOSED, asyncio.CancelledError()])
def test_a_connection_that_is_lost_is_called_so(error: BaseException) -> None:
    assert away(URL("amqp://guest@h:5672/"), error).detail == "rabbitmq at h:5672: connection lost"

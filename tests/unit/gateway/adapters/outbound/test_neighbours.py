"""The gateway knows whether the services behind it answer, without asking them at each health check."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.adapters.outbound import neighbours
from gateway.adapters.outbound.neighbours import Neighbour
from kernel.adapters.system_clock import SystemClock
from tests.servers.process import eventually
from tests.unit.gateway.stub import Stub


class Service(Stub):
    """Ready, not ready, silent or away."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.answering = asyncio.Event()
        self.answering.set()
        self.asked = 0

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.path == "/health/ready"
        self.asked += 1
        await self.answering.wait()
        return web.Response(status=self.status)


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setattr(neighbours, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(neighbours, "MISSED_EVERY_S", 0.02)
    service = Service()
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
async def neighbour(service: Service) -> AsyncIterator[Neighbour]:
    stop = asyncio.Event()
    neighbour = Neighbour("books", service.url, SystemClock(), stop)
    running = asyncio.create_task(neighbour.run())
    yield neighbour
    stop.set()
    await running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of a silent service: on a busy machine, one that answers is now and then late too."""
    monkeypatch.setattr(neighbours, "ANSWERS_WITHIN_S", 0.1)


async def is_missed(neighbour: Neighbour) -> bool:
    return not await neighbour.is_ready()


async def test_a_service_that_does_not_answer_is_missed_until_it_does_and_told_once(
    service: Service, neighbour: Neighbour, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kernel")
    await eventually(lambda: service.asked > 2)
    assert await neighbour.is_ready()
    await service.stop()
    await eventually(lambda: is_missed(neighbour))
    await service.start()
    await eventually(neighbour.is_ready)
    # A gateway that other tests share looks after its own neighbours meanwhile.
    away, back = [message for message in caplog.messages if "books" in message]
    assert away.startswith("the books service does not answer: ")
    assert back == "the books service is back"


async def test_a_service_that_is_silent_or_not_ready_is_missed_too(
    impatient: None, service: Service, neighbour: Neighbour
) -> None:
    service.answering.clear()
    await eventually(lambda: is_missed(neighbour))
    service.answering.set()
    await eventually(neighbour.is_ready)
    service.status = 503
    await eventually(lambda: is_missed(neighbour))


async def test_the_readiness_of_a_neighbour_is_answered_at_once_and_asks_no_service(
    impatient: None, service: Service, neighbour: Neighbour
) -> None:
    await eventually(lambda: service.asked > 0)
    service.answering.clear()
    await eventually(lambda: is_missed(neighbour))
    asked = service.asked
    for _ in range(1000):
        assert not await neighbour.is_ready()
    assert service.asked == asked

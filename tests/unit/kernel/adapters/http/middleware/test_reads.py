"""Reads wait for each other; writes wait for few of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from kernel.adapters.http.middleware import reads
from kernel.adapters.http.middleware.reads import AT_ONCE_BESIDE_WRITES, AT_ONCE_MAX, ReadBudget, bound_reads
from tests.servers.process import eventually

Message = dict[str, Any]


class Service:
    """Calls that are under way until `finish`; each answers with its status and then takes its time."""

    def __init__(
        self,
        *,
        length: int = 0,
        written_by_get: tuple[str, ...] = (),
        streams: tuple[str, ...] = (),
        **limits: Any,
    ) -> None:
        self._length = length
        self.begun: list[str] = []
        self._finished: dict[str, asyncio.Event] = {}
        self._taken: dict[str, asyncio.Event] = {}
        self._app = bound_reads(
            self._answer,  # type: ignore[arg-type]
            ReadBudget(**limits),
            written_by_get=written_by_get,
            streams=streams,
        )
        self._tasks: list[asyncio.Task[list[Message]]] = []

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def call(self, path: str, method: str = "GET") -> asyncio.Task[list[Message]]:
        """Sends a call; returns once all that can begin has begun."""
        self._finished[path], self._taken[path] = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(self._call({"type": "http", "method": method, "path": path}))
        self._tasks.append(task)
        await turns()
        return task

    async def finish(self, path: str, *, taken: bool = True) -> None:
        self._finished[path].set()
        if taken:
            self._taken[path].set()
        await turns()

    async def _call(self, scope: Any) -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)
            if message.get("status") == 200:
                await self._taken[scope["path"]].wait()

        await self._app(scope, nothing, send)  # type: ignore[arg-type]
        return sent

    async def _answer(self, scope: Any, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        self.begun.append(scope["path"])
        await self._finished[scope["path"]].wait()
        headers = [(b"content-length", b"%d" % self._length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


Make = Callable[..., Service]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[Service] = []

    def one(**limits: Any) -> Service:
        made.append(Service(**limits))
        return made[-1]

    yield one
    for service in made:
        await service.close()


async def nothing() -> Message:
    return {"type": "http.disconnect"}


async def turns() -> None:
    """Everything that can happen now has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_bounded_number_of_reads_is_at_work_at_once_and_the_next_takes_its_turn(make: Make) -> None:
    service = make()
    paths = [f"/orders/{number}" for number in range(AT_ONCE_MAX + 2)]
    for path in paths:
        await service.call(path)
    assert service.begun == paths[:AT_ONCE_MAX]
    await service.finish(paths[0])
    assert service.begun == paths[: AT_ONCE_MAX + 1]


async def test_beside_a_write_fewer_reads_are_at_work_at_once(make: Make) -> None:
    service = make()
    await service.call("/orders", "POST")
    paths = [f"/orders/{number}" for number in range(AT_ONCE_BESIDE_WRITES + 1)]
    for path in paths:
        await service.call(path)
    assert service.begun == ["/orders", *paths[:AT_ONCE_BESIDE_WRITES]]


async def test_beside_a_write_the_next_read_waits_until_a_long_answer_is_paid_for(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "COST_OF_BYTE_S", 0.000_1)  # 500 bytes are paid for in a quarter of a second
    service = make(length=500)
    await service.call("/orders", "POST")
    await service.call("/orders/1")
    await service.finish("/orders/1")
    await service.call("/orders/2")
    assert service.begun == ["/orders", "/orders/1"]
    await eventually(lambda: "/orders/2" in service.begun)


async def test_once_no_write_begins_any_more_nothing_has_to_be_paid_for(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "COST_OF_BYTE_S", 1.0)
    monkeypatch.setattr(reads, "BESIDE_WRITES_S", 0.05)
    service = make(length=500)
    await service.call("/orders", "POST")
    await service.call("/orders/1")
    await service.finish("/orders/1")
    for path in ("/orders/2", "/orders/3"):
        await service.call(path)
    await eventually(lambda: service.begun == ["/orders", "/orders/1", "/orders/2", "/orders/3"])


async def test_reads_go_on_soon_after_the_last_write_was_answered(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes that come now and then leave the process idle: nobody has to wait, or is refused."""
    monkeypatch.setattr(reads, "COST_OF_BYTE_S", 1.0)
    monkeypatch.setattr(reads, "BESIDE_WRITES_S", 60.0)
    service = make(length=500)
    for path in ("/orders", "/batch"):
        await service.call(path, "POST")
    await service.call("/orders/1")
    await service.finish("/orders/1")
    late = await service.call("/orders/2")
    await service.finish("/orders")
    await asyncio.sleep(2 * reads.AFTER_WRITES_S)
    assert "/orders/2" not in service.begun
    await service.finish("/batch")
    await eventually(lambda: "/orders/2" in service.begun)
    await service.finish("/orders/2")
    start, _ = await late
    assert start["status"] == 200


async def test_a_read_whose_answer_is_taken_slowly_holds_up_nobody(make: Make) -> None:
    service = make()
    paths = [f"/orders/{number}" for number in range(2 * AT_ONCE_MAX)]
    for path in paths:
        await service.call(path)
        await service.finish(path, taken=False)
    assert service.begun == paths


@pytest.mark.parametrize("limits", [{"wait_max_s": 0.01}, {"waiting_max": 0}])
async def test_a_read_that_cannot_begin_in_time_is_told_to_come_back(
    make: Make, limits: dict[str, Any]
) -> None:
    service = make(**limits)
    for number in range(AT_ONCE_MAX):
        await service.call(f"/orders/{number}")
    start, body = await (await service.call("/orders/late"))
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"] == b"1"
    assert b'"code":"overloaded"' in body["body"]
    await service.finish("/orders/0")
    await service.call("/orders/next")
    assert "/orders/late" not in service.begun
    assert service.begun[-1] == "/orders/next"


async def test_writes_streams_and_what_operators_ask_for_never_wait(make: Make) -> None:
    service = make(written_by_get=("/deposit",), streams=("/events",))
    for number in range(AT_ONCE_MAX + 1):
        await service.call(f"/orders/{number}")
    unbound = ("/orders/1/events", "/accounts/a/deposit", "/health/live", "/metrics")
    others = [("/orders", "POST"), *((path, "GET") for path in unbound)]
    for path, method in others:
        await service.call(path, method)
    assert service.begun[AT_ONCE_MAX:] == [path for path, _ in others]


async def test_a_get_is_a_read_unless_its_service_declares_it_a_write_or_a_stream(make: Make) -> None:
    service = make()
    for path in (*(f"/orders/{number}" for number in range(AT_ONCE_MAX)), "/orders/1/events", "/a/deposit"):
        await service.call(path)
    assert len(service.begun) == AT_ONCE_MAX


async def test_no_read_is_forgotten_that_begins_to_wait_just_as_the_last_ones_are_paid_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reads, "COST_OF_READ_S", 0.000_000_2)
    budget = ReadBudget(wait_max_s=0.2)

    async def read_often() -> None:
        for _ in range(500):
            budget.write_begins()
            await budget.begin()
            budget.end(0)
            budget.write_ends()

    await asyncio.gather(*(read_often() for _ in range(8)))

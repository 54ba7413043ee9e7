"""A short way answers ordinary calls itself, and leaves all others to the application behind it."""

from typing import Any

import pytest

from kernel.adapters.http.short_way import Call, ShortWay, with_short_ways
from kernel.domain.errors import NotFound
from kernel.ports.answer import Answer

PATH = "/things"
ORDINARY = [(b"host", b"shop"), (b"content-type", b"application/json"), (b"content-length", b"2")]


class Door:
    """Knows what the application behind got, and what was sent."""

    def __init__(self, **options: Any) -> None:
        self.calls: list[Call] = []
        self.behind: list[str] = []
        self.sent: list[Any] = []
        self.error: Exception | None = None
        self._app = with_short_ways(self._behind, {PATH: ShortWay(self._answer, **options)})

    async def _behind(self, scope: Any, *_: Any) -> None:
        self.behind.append(scope["path"])

    async def _answer(self, call: Call) -> Answer:
        self.calls.append(call)
        if self.error:
            raise self.error
        return Answer(201, "application/json", {"Location": "/things/1"}, b"{}")

    async def post(
        self, headers: Any = ORDINARY, *, path: str = PATH, method: str = "POST", query: bytes = b""
    ) -> None:
        scope: Any = {
            "type": "http", "method": method, "path": path, "query_string": query, "headers": headers,
        }  # fmt: skip
        await self._app(scope, self.receive, self._send)

    async def receive(self) -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)


async def test_an_ordinary_call_is_answered_at_once() -> None:
    door = Door()
    await door.post([*ORDINARY, (b"idempotency-key", b"k")])
    (call,) = door.calls
    assert (call.body, call.idempotency_key, door.behind) == (b"{}", "k", [])
    start, body = door.sent
    assert start["status"] == 201
    assert (b"location", b"/things/1") in start["headers"]
    assert body["body"] == b"{}"


@pytest.mark.parametrize(
    "headers",
    [
        ORDINARY[:2], ORDINARY[:1] + ORDINARY[2:], [*ORDINARY, ORDINARY[0]], [*ORDINARY, (b"origin", b"http://a")],
        [*ORDINARY, (b"idempotency-key", b"")], [*ORDINARY, (b"transfer-encoding", b"chunked")],
        [*ORDINARY[:2], (b"content-length", b"65537")], [*ORDINARY[:2], (b"content-length", b"x")],
        [ORDINARY[0], (b"content-type", b"text/plain"), ORDINARY[2]],
    ],
    ids=range(9),
)  # fmt: skip
async def test_what_is_out_of_the_ordinary_is_left_to_the_application(headers: Any) -> None:
    door = Door()
    await door.post(headers)
    assert (door.calls, door.behind) == ([], [PATH])


async def test_other_paths_and_methods_are_left_to_the_application() -> None:
    door = Door()
    await door.post(path="/others")
    await door.post(method="GET")
    await door.post(query=b"colour=red")
    assert (door.calls, door.behind) == ([], ["/others", PATH, PATH])


async def test_a_way_that_takes_no_key_leaves_calls_with_one_to_the_application() -> None:
    door = Door(takes_key=False)
    await door.post([*ORDINARY, (b"idempotency-key", b"k")])
    assert door.calls == []


async def test_an_error_becomes_its_problem() -> None:
    door = Door()
    door.error = NotFound("thing_not_found", "there is no thing")
    await door.post()
    start, body = door.sent
    assert start["status"] == 404
    assert b"thing_not_found" in body["body"]


async def test_a_client_that_leaves_before_the_end_of_its_body_gets_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone() -> Any:
        return {"type": "http.disconnect"}

    door = Door()
    monkeypatch.setattr(door, "receive", gone)
    await door.post()
    assert (door.calls, door.sent) == ([], [])

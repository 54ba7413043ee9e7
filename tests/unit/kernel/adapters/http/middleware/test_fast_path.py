"""A fast path answers ordinary calls itself, and leaves all others to the application behind it."""

from typing import Any

import pytest

from kernel.adapters.http.middleware.fast_path import Call, FastPath, with_fast_paths
from kernel.contracts.problems import COMMON, Problems
from kernel.domain.errors import NotFound
from kernel.ports.http_answer import HttpAnswer
from tests.unit.kernel.adapters.http.asgi import answered

PATH = "/things"
KNOWN = COMMON | Problems({"thing_not_found": "There is no such thing"}, {"thing_not_found": 410})
ORDINARY = [(b"host", b"shop"), (b"content-type", b"application/json"), (b"content-length", b"2")]


class App:
    """Knows what the application behind got, and what was sent."""

    def __init__(self, **options: Any) -> None:
        self.calls: list[Call] = []
        self.behind: list[str] = []
        self.sent: list[Any] = []
        self.error: Exception | None = None
        self._app = with_fast_paths(self._behind, {PATH: FastPath(self._answer, **options)}, KNOWN)

    async def _behind(self, scope: Any, *_: Any) -> None:
        self.behind.append(scope["path"])

    async def _answer(self, call: Call) -> HttpAnswer:
        self.calls.append(call)
        if self.error:
            raise self.error
        return HttpAnswer(201, "application/json", {"Location": "/things/1"}, b"{}")

    async def post(
        self, headers: Any = ORDINARY, *, path: str = PATH, method: str = "POST", query: bytes = b""
    ) -> None:
        scope = {"method": method, "path": path, "query_string": query}
        self.sent = await answered(self._app, headers, receive=self.receive, **scope)

    async def receive(self) -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}


async def test_an_ordinary_call_is_answered_at_once() -> None:
    app = App()
    await app.post([*ORDINARY, (b"idempotency-key", b"k")])
    (call,) = app.calls
    assert (call.body, call.idempotency_key, app.behind) == (b"{}", "k", [])
    start, body = app.sent
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
async def test_an_unusual_call_is_left_to_the_application(headers: Any) -> None:
    app = App()
    await app.post(headers)
    assert (app.calls, app.behind) == ([], [PATH])


async def test_other_paths_and_methods_are_left_to_the_application() -> None:
    app = App()
    await app.post(path="/others")
    await app.post(method="GET")
    await app.post(query=b"colour=red")
    assert (app.calls, app.behind) == ([], ["/others", PATH, PATH])


async def test_a_way_that_takes_no_key_leaves_calls_with_one_to_the_application() -> None:
    app = App(takes_key=False)
    await app.post([*ORDINARY, (b"idempotency-key", b"k")])
    assert app.calls == []


async def test_an_error_becomes_the_problem_that_its_service_declares() -> None:
    app = App()
    app.error = NotFound("thing_not_found", "there is no thing")
    await app.post()
    start, body = app.sent
    assert start["status"] == 410
    assert b"There is no such thing" in body["body"]


async def test_a_client_that_leaves_before_the_end_of_its_body_gets_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone() -> Any:
        return {"type": "http.disconnect"}

    app = App()
    monkeypatch.setattr(app, "receive", gone)
    await app.post()
    assert (app.calls, app.sent) == ([], [])

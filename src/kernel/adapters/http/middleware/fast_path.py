"""Fast paths answer the most frequent calls without the framework (docs/decisions/0009-fast-paths.md).

A call that is unusual in any way takes Litestar's route, which is also the documented one. The fast path and
the route call the same function with the parsed request.
"""

from collections.abc import Awaitable, Callable, Mapping

from litestar.types import ASGIApp, HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send

from kernel.adapters.http.conventions.idempotency import WELL_FORMED
from kernel.adapters.http.conventions.problem import error_answer, instance_of
from kernel.adapters.http.middleware.client_left import client_left
from kernel.adapters.http.parsing.body import BODY_BYTES_MAX
from kernel.contracts.problems import Problems
from kernel.domain.value import value
from kernel.ports.http_answer import HttpAnswer

# Headers that only Litestar's route can honour or refuse.
_OUT_OF_THE_ORDINARY = frozenset({b"origin", b"transfer-encoding", b"content-encoding"})


@value
class Call:
    """A request with a JSON body and without repeated headers."""

    body: bytes
    headers: Mapping[bytes, bytes]
    client_left: Callable[[], Awaitable[None]]
    """An async function that returns when the client has left."""

    def header(self, name: bytes) -> str | None:
        found = self.headers.get(name)
        return None if found is None else found.decode("latin-1")

    @property
    def idempotency_key(self) -> str | None:
        return self.header(b"idempotency-key")


@value
class FastPath:
    """Answers the ordinary POSTs of one path. If `answer` raises an exception, a problem is sent."""

    answer: Callable[[Call], Awaitable[HttpAnswer]]
    body_bytes_max: int = BODY_BYTES_MAX
    takes_key: bool = True


def with_fast_paths(app: ASGIApp, paths: Mapping[str, FastPath], known: Problems) -> ASGIApp:
    """`app` with fast paths in front of it. The keys of `paths` are URL paths."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        fast = (
            paths.get(scope["path"]) if scope.get("method") == "POST" and not scope["query_string"] else None
        )
        headers = _ordinary(list(scope["headers"]), fast) if fast else None
        if fast is None or headers is None:
            await app(scope, receive, send)
            return
        scope["path_template"] = scope["path"]
        body = await _whole(receive)
        if body is not None:
            call = Call(body, headers, client_left(scope))
            await send_answer(await _answer(fast, call, scope, known), send)

    return route


async def _answer(fast: FastPath, call: Call, scope: Scope, known: Problems) -> HttpAnswer:
    try:
        return await fast.answer(call)
    except Exception as error:
        return error_answer(error, instance_of(scope), known)


def _ordinary(pairs: list[tuple[bytes, bytes]], fast: FastPath) -> dict[bytes, bytes] | None:
    """The headers of a call that may take the fast path: its body is JSON, small and of known size, and its
    idempotency key, if it has one, is valid. None for any other call."""
    headers = dict(pairs)
    if len(headers) < len(pairs) or not _OUT_OF_THE_ORDINARY.isdisjoint(headers):
        return None
    length = headers.get(b"content-length", b"")
    fits = length.isdigit() and len(length) < 8 and int(length) <= fast.body_bytes_max
    is_json = headers.get(b"content-type") == b"application/json"
    key = headers.get(b"idempotency-key")
    good_key = key is None or (fast.takes_key and WELL_FORMED.fullmatch(key.decode("latin-1")))
    return headers if fits and is_json and good_key else None


async def _whole(receive: Receive) -> bytes | None:
    """The whole body of the request; None if the client left before the end of the body."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message["body"]
        more = message["more_body"]
    return body


async def send_problem(error: Exception, scope: Scope, send: Send) -> None:
    await send_answer(error_answer(error, instance_of(scope)), send)


async def send_answer(answer: HttpAnswer, send: Send) -> None:
    headers = []
    if answer.status != 204:
        headers = [
            (b"content-type", answer.media_type.encode("latin-1")),
            (b"content-length", b"%d" % len(answer.body)),
        ]
    for name, text in answer.headers.items():
        headers.append((name.lower().encode("latin-1"), text.encode("latin-1")))
    await send(HTTPResponseStartEvent(type="http.response.start", status=answer.status, headers=headers))
    await send(HTTPResponseBodyEvent(type="http.response.body", body=answer.body, more_body=False))

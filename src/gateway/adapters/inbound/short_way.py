"""The short way of POST /orders: most calls, without the machinery of a framework around them.

docs/decisions/0009-one-raw-route.md says why. Whatever is out of the ordinary takes Litestar's route, which
is also the one that the OpenAPI document tells of; reading, placing and the answers are the same on both.
"""

from litestar.types import ASGIApp, HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send

from gateway import wire
from gateway.adapters.inbound.answers import answer_of
from gateway.adapters.inbound.prefer import as_preferred
from gateway.application.hub import Hub
from gateway.application.place_orders import PlaceOrders
from gateway.domain.orders import PlaceOrder
from gateway.ports.answer import Answer
from kernel.adapters.http.body import BODY_BYTES_MAX, decode_body
from kernel.adapters.http.idempotency import WELL_FORMED
from kernel.adapters.trace_context import valid
from kernel.contracts.http import PlaceOrder as Body
from kernel.ports.clock import Clock

# What only Litestar's route knows how to honour, or to refuse.
_OUT_OF_THE_ORDINARY = frozenset({b"origin", b"transfer-encoding"})


def short_way(app: ASGIApp, place_orders: PlaceOrders, hub: Hub, clock: Clock) -> ASGIApp:
    async def place(scope: Scope, receive: Receive, send: Send) -> None:
        is_ours = scope.get("method") == "POST" and scope["path"] == wire.ORDERS
        headers = _ordinary(list(scope["headers"])) if is_ours else None
        if headers is None:
            await app(scope, receive, send)
            return
        scope["path_template"] = wire.ORDERS
        body = await _whole(receive)
        if body is not None:
            await _send(await _answer(body, headers), send)

    async def _answer(body: bytes, headers: dict[bytes, bytes]) -> Answer:
        prefer = [headers[b"prefer"].decode("latin-1")] if b"prefer" in headers else []
        try:
            return await as_preferred(_read(body, headers), prefer, place_orders, hub)
        except Exception as error:
            return answer_of(error)

    def _read(body: bytes, headers: dict[bytes, bytes]) -> PlaceOrder:
        key = headers.get(b"idempotency-key")
        return wire.place_order(
            decode_body(body, Body),
            None if key is None else key.decode("ascii"),
            clock.new_id(),
            valid(headers.get(b"traceparent", b"").decode("latin-1")),
        )

    return place


def _ordinary(pairs: list[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """The headers of a call with a JSON body of known and small size, and at most one good key."""
    headers = dict(pairs)
    if len(headers) < len(pairs) or not _OUT_OF_THE_ORDINARY.isdisjoint(headers):
        return None
    length = headers.get(b"content-length", b"")
    fits = length.isdigit() and len(length) < 6 and int(length) <= BODY_BYTES_MAX
    is_json = headers.get(b"content-type") == b"application/json"
    key = headers.get(b"idempotency-key", b"none").decode("latin-1")
    return headers if fits and is_json and WELL_FORMED.fullmatch(key) else None


async def _whole(receive: Receive) -> bytes | None:
    """The body; None when the client left before its end."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message["body"]
        more = message["more_body"]
    return body


async def _send(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.media_type.encode("latin-1")),
        (b"content-length", b"%d" % len(answer.body)),
    ]
    for name, value in answer.headers.items():
        headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
    await send(HTTPResponseStartEvent(type="http.response.start", status=answer.status, headers=headers))
    await send(HTTPResponseBodyEvent(type="http.response.body", body=answer.body, more_body=False))

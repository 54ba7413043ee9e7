"""Headers and queries that are almost what they should be, with a good token: each is answered, and what is
stored is what was answered with 201.

FUZZ_EXAMPLES=1000 sends more of them.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import TRACE
from tests.servers.raw import RawAnswer, connected, request
from tests.spec.scenario import expect
from tests.spec.security.conftest import Guarded
from tests.unit.bent import bent, header

HEADERS: Mapping[str, list[bytes]] = {
    "Idempotency-Key": [b"cart-1", b"k" * 255],
    "Prefer": [b"wait=1", b'respond-async, wait="1"'],
    "Last-Event-ID": [b"1", b"2"],
    "If-None-Match": [b'"2f7a4c1be09d8356"', b"*"],
    "traceparent": [TRACE.encode()],
    "X-Request-Id": [b"call-1"],
    "Forwarded": [b"for=203.0.113.7;proto=https;host=shop.example"],
    "X-Forwarded-For": [b"203.0.113.7, 10.0.0.1"],
}
QUERIES = [
    *(b"limit=5", b"after=1", b"after=01970000-0000-7000-8000-000000000000", b"status=NEW", b"userId=a"),
    b"at=2026-01-01T00:00:00Z",
]
# The bytes that end a line of a head are no part of its value; tests/spec/http sends those.
_NO_LINES = re.compile(rb"[\r\n\x00]")


def drawn(data: st.DataObject, samples: list[bytes]) -> bytes:
    return _NO_LINES.sub(b"", data.draw(bent(samples)))[:4000]


async def answered(url: str, sent: bytes) -> RawAnswer:
    async with connected(url) as raw:
        await raw.send(sent)
        return await raw.answer()


def drawn_request(data: st.DataObject, user: str, order: str, token: str) -> bytes:
    names = data.draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=3, unique=True))
    lines = [f"{name}: {header(drawn(data, HEADERS[name]))}" for name in names]
    if data.draw(st.integers(0, 9)) == 9:
        token = header(drawn(data, [token.encode()]))
    lines.append(f"Authorization: Bearer {token}")
    if data.draw(st.booleans()):
        body = b'{"userId": "%b", "amount": 1}' % user.encode()
        return request("/orders", "Content-Type: application/json", *lines, method="POST", body=body)
    one, own = f"/orders/{order}", f"/accounts/{user}"
    target = data.draw(
        st.sampled_from(["/orders", one, f"{one}/history", f"{one}/events", own, f"{own}/transactions"])
    )
    query = f"?{quote(drawn(data, QUERIES), safe='=&')}" if data.draw(st.booleans()) else ""
    return request(target + query, *lines)


@settings(
    deadline=None,
    max_examples=int(os.environ.get("FUZZ_EXAMPLES") or 15),
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
async def test_nothing_is_stored_but_what_was_answered_with_201(
    guarded: Guarded, data: st.DataObject
) -> None:
    user, url = await guarded.customer(), guarded.urls["gateway"]
    order, token = await guarded.order_of(user), guarded.keys.token(user)
    sent = [drawn_request(data, user, order, token) for _ in range(6)]
    answers = await asyncio.gather(*(answered(url, one) for one in sent))
    for answer in answers:
        assert answer.status < 500, answer
        assert re.fullmatch(r"[A-Za-z0-9._:/+=-]{1,128}", answer.headers["x-request-id"])
    placed = {answer.headers["location"] for answer in answers if answer.status == 201}
    page = expect(200, await guarded.ask(token, "GET", f"{url}/orders"))
    assert {f"/orders/{one['id']}" for one in page} == placed | {f"/orders/{order}"}

"""Random bytes: every answer is valid HTTP, and nothing happens that no request asked for.

FUZZ_SEED draws the same bytes again.
"""

import asyncio
import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.servers.raw import connected, request
from tests.servers.shop import Shop
from tests.spec.scenario import Http, new_user
from tests.spec.store import Store

SEED = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(10**9))
# With its limits the shop grows by less than half of it, without them by more.
GROWS_BYTES_MAX = 40 * 1024 * 1024
JSON = "Content-Type: application/json"

fuzzed = settings(
    deadline=None,
    max_examples=int(os.environ.get("FUZZ_EXAMPLES") or 10),
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

# Bytes that have confused servers before, at any place.
TOKENS = [
    b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b"0\r\n\r\n", b"\r\n\r\n", b"GET / HTTP/1.1\r\n",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
    b"Host: a\r\n", b"Expect: 100-continue\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HTTP/1.0",
    b"ffffffff\r\n",
    b"\xff", b"%00", b"%2f", b"..", b"A" * 3000,
]  # fmt: skip
# What changes nothing about where a request ends.
NOISE = [
    "Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket", "Connection: keep-alive, Upgrade",
    "TE: trailers",
    "Transfer-Encodings: chunked", "X-Content-Length: 3", "Trailer: X", "Via: 1.0 a", "X:",
]  # fmt: skip
TARGETS = [
    "/health/live", "/orders?limit=1", "/orders/x/events", "/accounts/a/deposit?amount=x",
    "//orders", "/%6frders",
    "http://shop/orders", "/schema/asyncapi.json", "/swagger-assets/x", "/orders/batch", "*",
    "/api/Admission",
]  # fmt: skip


def chunked(data: st.DataObject, body: bytes) -> bytes:
    parts, rest = b"", body
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        parts, rest = parts + b"%x\r\n%b\r\n" % (size, rest[:size]), rest[size:]
    return parts + b"0\r\n\r\n"


def posted(data: st.DataObject, path: str, body: bytes) -> bytes:
    """A POST with some of the noise, and a body in either framing."""
    noise = data.draw(st.lists(st.sampled_from(NOISE), max_size=3, unique=True))
    if data.draw(st.booleans()):
        return request(path, JSON, *noise, method="POST", body=body)
    return request(path, JSON, "Transfer-Encoding: chunked", *noise, method="POST") + chunked(data, body)


def mutated(data: st.DataObject, stream: bytes) -> bytes:
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(stream)))
        to = data.draw(st.integers(at, min(len(stream), at + 40)))
        stream = stream[:at] + data.draw(st.sampled_from([*TOKENS, stream[at:to] * 2, b""])) + stream[to:]
    return stream


def cut(data: st.DataObject, stream: bytes) -> list[bytes]:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=5)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


async def statuses(url: str, parts: list[bytes]) -> list[int]:
    """The statuses of all answers until the server ends the connection, after all was sent."""
    found = []
    async with connected(url) as raw:
        try:
            await raw.send(*parts)
            raw.send_no_more()
        except ConnectionError:
            pass
        try:
            while True:
                found.append((await raw.answer()).status)
        except EOFError:
            return found


def resident_bytes(shop: Shop) -> int:
    pids = [process.pid for process in shop.processes.values()]
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return sum(int(text.split("VmRSS:")[1].split()[0]) * 1024 for text in statuses)


@pytest.fixture(scope="module", autouse=True)
def print_the_seed() -> None:
    print(f"FUZZ_SEED={SEED}")


@fuzzed
@seed(SEED)
@given(data=st.data())
async def test_every_answer_to_random_bytes_is_valid_http(shop: Shop, data: st.DataObject) -> None:
    """And whoever sends anything but empty lines is answered."""

    def stream() -> bytes:
        target = data.draw(st.sampled_from(TARGETS))
        whole = [request(target), posted(data, target, b'{"userId": "a", "amount": 1}')]
        return mutated(data, b"".join(data.draw(st.permutations([*whole, request("/health/live")]))))

    urls = st.sampled_from(sorted(shop.urls.values()))
    sent = [(data.draw(urls), cut(data, stream())) for _ in range(3)]
    answers = await asyncio.gather(*(statuses(url, parts) for url, parts in sent))
    for (_, parts), found in zip(sent, answers, strict=True):
        assert found or not b"".join(parts).strip(b"\r\n")
        assert [status for status in found if status >= 500 and status != 503] == []


@fuzzed
@seed(SEED)
@given(data=st.data())
async def test_only_whole_requests_change_what_is_stored(shop: Shop, http: Http, data: st.DataObject) -> None:
    """Bodies hold requests too, and the last request of a connection is cut off."""
    gateway = Store.at_the_gateway(http, shop)
    asked, never = [], []

    def account(user: str, hidden: str) -> bytes:
        inner = request("/accounts", JSON, method="POST", body=b'{"userId": "%b"}' % hidden.encode())
        never.append(hidden)
        text = json.dumps({"userId": user}).encode()
        as_body = posted(data, "/accounts", inner)
        return as_body + posted(data, "/accounts", text)

    def stream() -> bytes:
        whole = b""
        for _ in range(data.draw(st.integers(1, 2))):
            asked.append(new_user())
            whole += account(asked[-1], new_user())
        never.append(new_user())
        last = posted(data, "/accounts", json.dumps({"userId": never[-1]}).encode())
        return whole + last[: data.draw(st.integers(0, len(last) - 1))]

    sent = [cut(data, stream()) for _ in range(2)]
    await asyncio.gather(*(statuses(shop.gateway, parts) for parts in sent))
    found = await asyncio.gather(*(gateway.http.get(gateway.account_url(user)) for user in (*asked, *never)))
    assert [answer.status for answer in found] == [200] * len(asked) + [404] * len(never)


async def test_floods_do_not_make_the_shop_grow(shop: Shop, http: Http) -> None:
    before = resident_bytes(shop)

    async def flood(stream: bytes) -> None:
        async with connected(shop.gateway) as raw:
            try:
                async with asyncio.timeout(0.5):
                    while True:
                        await raw.send(stream)
            except (TimeoutError, ConnectionError):
                pass

    half = request("/orders/batch", JSON, "Content-Length: 1000000", method="POST") + b" " * 990_000
    async with asyncio.TaskGroup() as group:
        for stream in (request("/health/live") * 5000, b"A" * 1_000_000, half):
            for _ in range(10):
                group.create_task(flood(stream))
    assert (await http.get(f"{shop.gateway}/health/live")).status == 200
    assert resident_bytes(shop) - before < GROWS_BYTES_MAX

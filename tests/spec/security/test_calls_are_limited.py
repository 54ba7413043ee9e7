"""Nobody calls more often than allowed, over all replicas; and the store that these share delays nobody."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from typing import Any

import pytest

from tests.servers.keys import Keys
from tests.servers.ports import free_port
from tests.servers.process import Process, eventually, start_together
from tests.servers.redis import PASSWORD, PrivateRedis
from tests.servers.shop import ThreeServices
from tests.spec.scenario import Answer, Http, expect_problem, new_user

MOST = 20
# A call may pass uncounted where the machine is so busy that Redis answers too late.
UNCOUNTED_MAX = 4


@dataclass(frozen=True)
class Gateways:
    """Two replicas in jwt mode, which count in one Redis, behind a proxy that they trust."""

    http: Http
    keys: Keys
    replicas: Sequence[Process]
    urls: Sequence[str]
    orders: str
    """A service behind them, which asks and counts as they do."""

    async def ask(self, url: str, token: str | None, *, address: str = "192.0.2.1", path: str = "") -> Answer:
        """Reads an order, as the client of this address, or places one."""
        headers = [("X-Forwarded-For", address)]
        if token is not None:
            headers.append(("Authorization", f"Bearer {token}"))
        if path == "/orders":
            return await self.http.post(f"{url}{path}", {"userId": "nobody", "amount": 1}, headers)
        return await self.http.get(f"{url}{path or f'/accounts/{new_user()}'}", headers)

    async def turns(self, calls: int, token: str | None, **more: Any) -> list[Answer]:
        """The replicas answer in turn."""
        return [await self.ask(url, token, **more) for url in islice(cycle(self.urls), calls)]

    async def are_ready(self, *, degraded: bool) -> bool:
        for url in self.urls:
            health = (await self.http.get(f"{url}/health/ready")).json
            assert ("rate-limit" in health["degraded"]) is degraded, health
        return True

    def lines(self, replica: Process) -> list[str]:
        """The lines of its log about the store."""
        events = [json.loads(line)["event"] for line in replica.stderr.splitlines()]
        return [event for event in events if "rate limits" in event]


@pytest.fixture(scope="module")
async def gateways(
    three_services: ThreeServices,
    redis_server: PrivateRedis,
    http: Http,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Gateways]:
    keys = Keys(tmp_path_factory.mktemp("limited"))
    settings = {
        **keys.settings,
        "SHOP_RATE_LIMIT": f"{MOST}/hour",
        "SHOP_RATE_LIMIT_URL": redis_server.url,
        "SHOP_TRUSTED_PROXIES": "127.0.0.1",
    }
    processes, urls = [], []
    for service in ("gateway", "gateway", "orders"):
        port = free_port()
        urls.append(f"http://127.0.0.1:{port}")
        own = {f"{service.upper()}_PORT": str(port), **settings}
        processes.append(three_services.serve(service, ready_at=urls[-1:], **own))
    try:
        await start_together(processes)
        yield Gateways(http, keys, processes[:2], urls[:2], urls[2])
    finally:
        for process in processes:
            if process.runs:
                process.kill()


def refused(answers: Sequence[Answer]) -> int:
    return Counter(answer.status for answer in answers)[429]


def assert_limited(answer: Answer, policy: str) -> None:
    expect_problem(answer, 429, code="rate_limited")
    wait_s = int(answer.headers["Retry-After"])
    assert 1 <= wait_s <= 3600
    assert answer.headers["RateLimit"] == f'"{policy}";r=0;t={wait_s}'
    assert answer.headers["RateLimit-Policy"] == f'"{policy}";q={MOST};w=3600'


@pytest.mark.parametrize("path", ["", "/orders"], ids=["a route", "a fast path"])
async def test_two_gateways_together_allow_a_user_what_is_allowed_and_another_user_as_much(
    gateways: Gateways, path: str
) -> None:
    await eventually(partial(gateways.are_ready, degraded=False))
    token = gateways.keys.token(new_user())
    answers = await gateways.turns(2 * MOST, token, path=path)
    assert MOST - UNCOUNTED_MAX <= refused(answers) <= MOST
    assert {answer.status for answer in answers[:MOST]} == {403 if path else 404}
    assert_limited(answers[-1], "user")
    other = await gateways.turns(MOST, gateways.keys.token(new_user()), path=path)
    assert refused(other) == 0


async def test_an_address_that_sends_bad_tokens_is_refused_by_both_gateways_and_its_users_are_not(
    gateways: Gateways,
) -> None:
    known, addresses = gateways.keys.token(new_user()), [f"2001:db8::{number:x}" for number in range(1, 9)]
    assert refused(await gateways.turns(2, known, address=addresses[0])) == 0
    answers = []
    for number in range(2 * MOST // len(addresses)):
        for address in addresses:
            url = gateways.urls[number % 2]
            answers.append(await gateways.ask(url, f"{known[:-9]}{number:09}", address=address))
    assert {answer.status for answer in answers[:MOST]} == {401}
    assert MOST - UNCOUNTED_MAX <= refused(answers) <= MOST
    assert_limited(answers[-1], "address")
    assert refused(await gateways.turns(2, None, address=addresses[-1])) == 2
    assert refused(await gateways.turns(2, None, address="2001:db8:0:1::1")) == 0
    assert refused(await gateways.turns(2, known, address=addresses[-1])) == 0


async def test_a_service_limits_neither_its_neighbours_nor_a_trusted_proxy(gateways: Gateways) -> None:
    stranger = [("X-Forwarded-For", "198.51.100.7")]
    neighbour = [*stranger, ("Authorization", f"Bearer {gateways.keys.service_token('gateway', 'orders')}")]
    url = f"{gateways.orders}/api/Order/changes"
    for headers, statuses in (
        (stranger, {401: MOST, 429: 1}),
        (neighbour, {200: MOST + 1}),
        ([], {401: MOST + 1}),
    ):
        answers = [await gateways.http.post(url, [], headers) for _ in range(MOST + 1)]
        assert Counter(answer.status for answer in answers) == statuses


async def load(gateways: Gateways, until: asyncio.Event, took_s: list[float]) -> list[Answer]:
    """Users call, each of them less often than they may, and one after the other."""
    answers = []
    while not until.is_set():
        token = gateways.keys.token(new_user())
        for url in islice(cycle(gateways.urls), MOST):
            started = time.monotonic()
            answers.append(await gateways.ask(url, token))
            took_s.append(time.monotonic() - started)
    return answers


Blow = Callable[[PrivateRedis], None]


@pytest.mark.parametrize(
    ("blow", "cure"),
    [(PrivateRedis.kill, PrivateRedis.start), (PrivateRedis.freeze, PrivateRedis.thaw)],
    ids=["killed", "frozen"],
)
async def test_under_load_the_store_may_go_and_each_gateway_counts_for_itself(
    gateways: Gateways, redis_server: PrivateRedis, blow: Blow, cure: Blow
) -> None:
    await eventually(partial(gateways.are_ready, degraded=False))
    said = [len(gateways.lines(replica)) for replica in gateways.replicas]
    over, took_s = asyncio.Event(), list[float]()
    loading: list[Awaitable[list[Answer]]] = [
        asyncio.create_task(load(gateways, over, took_s)) for _ in range(3)
    ]
    try:
        await asyncio.sleep(0.2)
        blow(redis_server)
        await eventually(partial(gateways.are_ready, degraded=True))
        token = gateways.keys.token(new_user())
        answers = await gateways.turns(4 * MOST, token)
        assert refused(answers) == 2 * MOST
        assert_limited(answers[-1], "user")
    finally:
        cure(redis_server)
    await eventually(partial(gateways.are_ready, degraded=False))
    over.set()
    answers = [answer for one in await asyncio.gather(*loading) for answer in one]
    assert {answer.status for answer in answers} == {404}, Counter(answer.status for answer in answers)
    took_s.sort()
    assert took_s[len(took_s) * 9 // 10] < 0.3, "calls wait for the store"
    for replica, before in zip(gateways.replicas, said, strict=True):
        went, back = gateways.lines(replica)[before:]
        assert "away, so each process counts for itself" in went
        assert back == "the store of rate limits is back"
        assert PASSWORD not in replica.stderr

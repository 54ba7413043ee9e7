"""Who calls, and how often: before a token is checked, and after."""

from dataclasses import dataclass, field
from math import inf
from typing import Any

import pytest

from kernel.adapters.http.conventions.caller import CURRENT
from kernel.adapters.http.middleware.identity import identified
from kernel.adapters.rate_limits.rate_limits import CountedRateLimits
from kernel.contracts.http import Problem
from kernel.contracts.values import decoder
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Unauthenticated, Unavailable
from kernel.ports.tokens import Verified
from tests.memory.clock import MemoryClock
from tests.unit.kernel.adapters.http.asgi import answered

ALICE, BOB, GATEWAY = "alice", "bob", "service:gateway"
BAD, BAD_SERVICE = "bad", "service:bad"
HOME = "192.0.2.1"
OPEN = ("/health/", "/index.html")


@dataclass
class Callers:
    """Whoever has a token is who it names, and is remembered from then on."""

    known: dict[str, Verified] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    keys_are_away: bool = False

    def remembered(self, token: str) -> Verified | None:
        return self.known.get(token)

    def says_service(self, token: str) -> bool:
        return token.startswith("service:")

    async def verify(self, token: str) -> Verified:
        self.checked.append(token)
        if self.keys_are_away:
            raise Unavailable("no keys")
        if token.startswith(("bad", "service:bad")):
            raise Unauthenticated(with_token=True)
        service = token.removeprefix("service:") if self.says_service(token) else ""
        role = Role.SERVICE if service else Role.USER
        self.known[token] = Verified(Caller(role, service or token, service), inf)
        return self.known[token]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return decoder(Problem).decode(self.body).code


class Door:
    """An application that takes three calls a day."""

    def __init__(self, *, asks: bool = True, limits: bool = True) -> None:
        self.callers = Callers()
        self.seen: list[str] = []
        self._app = identified(
            self._within,
            self.callers if asks else None,
            OPEN,
            limits=CountedRateLimits("3/day", "gateway", MemoryClock()) if limits else None,
        )

    async def _within(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(CURRENT.get().caller.id)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, token: str = "", path: str = "/orders", address: str | None = HOME) -> Answer:
        headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
        client = (address, 1) if address else None
        start, body = await answered(self._app, headers, path=path, client=client)
        told = {name.decode(): text.decode() for name, text in start["headers"]}
        return Answer(start["status"], told, body["body"])

    async def statuses(self, token: str = "", calls: int = 5, **more: Any) -> list[int]:
        return [(await self.ask(token, **more)).status for _ in range(calls)]


TAKEN, REFUSED = [200] * 3 + [429] * 2, [401] * 3 + [429] * 2


@pytest.fixture
def door() -> Door:
    return Door()


async def test_a_user_may_call_so_often_whoever_else_calls(door: Door) -> None:
    assert await door.statuses(ALICE) == TAKEN
    assert await door.statuses(BOB) == TAKEN
    assert door.seen == [ALICE] * 3 + [BOB] * 3


async def test_one_call_too_many_is_told_how_many_may_come_and_when(door: Door) -> None:
    await door.statuses(ALICE)
    refused = await door.ask(ALICE)
    assert (refused.status, refused.code) == (429, "rate_limited")
    wait_s = int(refused.headers["retry-after"])
    assert 1 <= wait_s <= 86400
    assert refused.headers["ratelimit"] == f'"user";r=0;t={wait_s}'
    assert refused.headers["ratelimit-policy"] == '"user";q=3;w=86400'


async def test_an_address_is_told_of_its_own_policy(door: Door) -> None:
    await door.statuses()
    refused = await door.ask()
    assert refused.headers["ratelimit"].startswith('"address";r=0;t=')
    assert refused.headers["ratelimit-policy"] == '"address";q=3;w=86400'
    assert "www-authenticate" not in refused.headers


async def test_a_flood_of_bad_tokens_is_refused_before_any_of_them_is_checked(door: Door) -> None:
    assert [(await door.ask(f"{BAD}-{number}")).status for number in range(5)] == REFUSED
    assert len(door.callers.checked) == 3
    assert (await door.ask(ALICE)).status == 429, "nobody has seen this token yet"
    assert len(door.callers.checked) == 3


async def test_calls_without_a_token_and_with_a_bad_one_count_together(door: Door) -> None:
    assert await door.statuses(calls=2) == [401] * 2
    assert await door.statuses(BAD, calls=2) == [401, 429]


async def test_a_known_caller_does_not_notice_a_flood_from_their_address(door: Door) -> None:
    assert (await door.ask(ALICE)).status == 200
    assert await door.statuses(BAD) == REFUSED
    assert (await door.ask(ALICE)).status == 200


async def test_valid_tokens_cost_their_address_nothing_however_many_are_new(door: Door) -> None:
    assert [(await door.ask(f"user-{number}")).status for number in range(9)] == [200] * 9
    assert await door.statuses() == REFUSED


async def test_a_service_has_no_limit_whatever_else_comes_from_its_address(door: Door) -> None:
    assert await door.statuses(BAD) == REFUSED
    assert await door.statuses(GATEWAY) == [200] * 5


async def test_a_call_that_only_claims_to_be_a_services_counts_for_its_address(door: Door) -> None:
    assert await door.statuses(BAD_SERVICE) == REFUSED
    assert await door.statuses() == [429] * 5


async def test_a_trusted_proxy_that_calls_for_itself_has_no_limit_by_address(door: Door) -> None:
    """Which is what a call without an address is."""
    assert await door.statuses(address=None) == [401] * 5
    assert await door.statuses(BAD, address=None) == [401] * 5


async def test_an_address_of_ipv6_is_its_64(door: Door) -> None:
    addresses = [f"2001:db8:0:1:{number:x}::{number:x}" for number in range(5)]
    assert [(await door.ask(address=address)).status for address in addresses] == REFUSED
    assert (await door.ask(address="2001:db8:0:2::1")).status == 401


async def test_documents_count_for_the_address_and_health_for_nobody(door: Door) -> None:
    assert await door.statuses(path="/health/ready") == [200] * 5
    assert await door.statuses(path="/index.html") == TAKEN
    assert await door.statuses(path="/orders") == [429] * 5
    assert await door.statuses(path="/health/live") == [200] * 5


async def test_nobody_is_blamed_while_the_keys_are_away(door: Door) -> None:
    door.callers.keys_are_away = True
    assert await door.statuses(ALICE) == [503] * 5
    door.callers.keys_are_away = False
    assert (await door.ask(ALICE)).status == 200


async def test_in_open_mode_an_address_may_call_so_often() -> None:
    door = Door(asks=False)
    assert await door.statuses(ALICE) == TAKEN
    assert await door.statuses(address="192.0.2.9") == TAKEN


@pytest.mark.parametrize("asks", [True, False])
async def test_without_limits_nobody_is_refused_for_calling_often(asks: bool) -> None:
    door = Door(asks=asks, limits=False)
    assert await door.statuses(ALICE, calls=99) == [200] * 99
    assert await door.statuses(BAD, calls=99) == [401 if asks else 200] * 99

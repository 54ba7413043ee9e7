"""Signing in and renewing, with a provider that does as it is told, in a time of our own."""

import asyncio
from dataclasses import replace

import pytest

from gateway.application import renew_session
from gateway.application.finish_sign_in import FinishSignIn
from gateway.application.renew_session import AWAY_S, REMEMBERED_S, RenewSession
from gateway.domain.session import Grant, Session, SignIn, SignInAnswer, SignInFailed
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Unauthenticated, Unavailable
from kernel.ports.tokens import Verified
from tests.memory.clock import MemoryClock

BEYOND_S = 30


class World:
    """The provider, whose tokens are called `user:end`, and the shop's check of them."""

    is_there = True

    def __init__(self) -> None:
        self.clock = MemoryClock()
        self.gives = "alice"
        self.error: Exception | None = None
        self.asked: list[str] = []
        self.allowed = asyncio.Event()
        self.allowed.set()

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    def token(self, user: str = "alice", *, left_s: float) -> str:
        return f"{user}:{self.now + left_s}"

    def session(self, *, left_s: float = 300, refresh: str = "first") -> Session:
        return Session("alice", self.token(left_s=left_s), refresh, "id", self.now)

    def remembered(self, token: str) -> Verified | None:
        return None

    async def verify(self, token: str) -> Verified:
        user, _, end = token.partition(":")
        if not end or self.now >= float(end) + BEYOND_S:
            raise Unauthenticated(with_token=True)
        return Verified(Caller(Role.USER, user), float(end) + BEYOND_S)

    async def begin(self, redirect_uri: str, return_to: str) -> tuple[SignIn, str]:
        raise NotImplementedError

    async def accepts(self, issuer: str) -> bool:
        return issuer == "issuer"

    async def redeem(self, begun: SignIn, code: str) -> Grant:
        return await self.renew(code)

    async def renew(self, refresh_token: str) -> Grant:
        self.asked.append(refresh_token)
        await self.allowed.wait()
        if self.error:
            raise self.error
        return Grant(self.token(self.gives, left_s=300), f"after {refresh_token}")

    async def sign_out_url(self, id_token: str, back_to: str) -> str | None:
        return None


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def renew(world: World) -> RenewSession:
    return RenewSession(world, world, world.clock)


async def test_a_session_that_is_not_due_stays_as_it_is(world: World, renew: RenewSession) -> None:
    session = replace(world.session(), renew_at=world.now + 1)
    assert await renew(session) is session
    without = replace(world.session(), refresh_token="")
    assert await renew(without) is without
    assert world.asked == []


async def test_a_session_that_is_due_gets_new_tokens_and_keeps_those_that_the_provider_does_not_give(
    world: World, renew: RenewSession
) -> None:
    renewed = await renew(world.session())
    assert renewed == Session(
        "alice", world.token(left_s=300), "after first", "id", renew_at=world.now + 300 - 60
    )


async def test_one_renewal_at_a_time_serves_all_and_calls_that_come_late(
    world: World, renew: RenewSession
) -> None:
    world.allowed.clear()
    session = world.session(left_s=-60)
    calls = [asyncio.create_task(renew(session)) for _ in range(5)]
    await asyncio.sleep(0)
    calls[0].cancel()
    await asyncio.sleep(0)
    world.allowed.set()
    renewed = set(await asyncio.gather(*calls[1:]))
    world.clock.advance(REMEMBERED_S - 1)
    renewed.add(await renew(session))
    assert (len(renewed), world.asked) == (1, ["first"])
    world.clock.advance(1)
    await renew(session)
    assert world.asked == ["first", "first"], "it is not remembered for ever"


async def test_sessions_are_renewed_apart(world: World, renew: RenewSession) -> None:
    one, two = await asyncio.gather(renew(world.session(refresh="one")), renew(world.session(refresh="two")))
    assert (one.refresh_token, two.refresh_token) == ("after one", "after two")


async def test_the_memory_of_renewals_has_bounds(
    world: World, renew: RenewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renew_session, "REMEMBERED_MAX", 3)
    for number in range(10):
        await renew(world.session(refresh=str(number)))
    assert len(renew._renewals) <= 3
    world.clock.advance(REMEMBERED_S)
    await renew(world.session(refresh="last"))
    assert len(renew._renewals) == 1


async def test_nobody_waits_long_for_a_new_token_while_the_old_one_is_good(
    world: World, renew: RenewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renew_session, "PATIENCE_S", 0.01)
    world.allowed.clear()
    session = world.session(left_s=50)
    assert await renew(session) is session
    world.allowed.set()
    await asyncio.sleep(0)
    assert (await renew(session)).refresh_token == "after first", "it goes on meanwhile"
    assert world.asked == ["first"]


async def test_while_the_provider_is_away_a_good_token_serves_and_it_is_asked_now_and_then(
    world: World, renew: RenewSession
) -> None:
    world.error = Unavailable("away")
    session = world.session(left_s=AWAY_S + 1 - BEYOND_S)
    assert [await renew(session) for _ in range(3)] == [session] * 3
    assert world.asked == ["first"]
    world.clock.advance(AWAY_S)
    assert await renew(session) is session
    assert world.asked == ["first"] * 2
    world.clock.advance(AWAY_S)
    with pytest.raises(Unavailable):
        await renew(session)
    world.clock.advance(AWAY_S)
    world.error = None
    assert (await renew(session)).refresh_token == "after first"


@pytest.mark.parametrize("gives", ["mallory", ""])
async def test_a_renewal_that_is_refused_or_somebody_elses_leaves_the_session_to_its_end(
    world: World, renew: RenewSession, gives: str
) -> None:
    world.gives = gives
    world.error = None if gives else SignInFailed("used up")
    session = world.session()
    assert [await renew(session) for _ in range(3)] == [session] * 3
    assert world.asked == ["first"]


BEGUN = SignIn("state", "nonce", "verifier", "uri", "/", until=0)
ANSWER = SignInAnswer("state", "code", "", "issuer")


async def test_a_sign_in_makes_a_session_of_the_one_whom_the_access_token_names(world: World) -> None:
    begun = replace(BEGUN, until=world.now + 600)
    session = await FinishSignIn(world, world, world.clock)(begun, ANSWER)
    assert (session.user_id, session.refresh_token, session.renew_at) == (
        "alice",
        "after code",
        world.now + 240,
    )


async def test_a_sign_in_that_is_late_unknown_denied_or_of_another_issuer_fails_before_the_code_is_used(
    world: World,
) -> None:
    finish, begun = FinishSignIn(world, world, world.clock), replace(BEGUN, until=world.now + 600)
    wrong = [
        (None, ANSWER),
        (begun, replace(ANSWER, state="other")),
        (begun, replace(ANSWER, state="")),
        (begun, replace(ANSWER, issuer="another")),
        (begun, replace(ANSWER, error="access_denied")),
        (begun, replace(ANSWER, code="")),
    ]
    for known, answer in wrong:
        with pytest.raises(SignInFailed):
            await finish(known, answer)
    world.clock.advance(600)
    with pytest.raises(SignInFailed, match="begin again"):
        await finish(begun, ANSWER)
    assert world.asked == []

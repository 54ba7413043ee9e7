"""A good token tells its caller until it ends, and is remembered; any other token tells nobody."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kernel.adapters.identity.jwt_tokens import JwtTokens
from kernel.adapters.identity.key_ring import KeyRing
from kernel.adapters.identity.local_key import ISSUER, local_key, local_key_file, sign
from kernel.adapters.identity.services import ServiceTokens
from kernel.adapters.identity.users import UserTokens
from kernel.adapters.identity.verifying import LEEWAY_S
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Unauthenticated
from kernel.ports.tokens import Tokens, Verified
from tests.memory.clock import MemoryClock
from tests.memory.tokens import MemoryTokens

ALICE = Caller(Role.USER, "alice")
VALID_S = 300

# The tokens, and what makes one of a caller's.
World = tuple[Tokens, Callable[[Caller], str]]


def in_memory(clock: MemoryClock, _: Path) -> World:
    tokens = MemoryTokens(clock)

    def make(caller: Caller) -> str:
        token = f"token {len(tokens.known)}"
        tokens.known[token] = Verified(caller, clock.now().timestamp() + VALID_S + LEEWAY_S)
        return token

    return tokens, make


def jwt(clock: MemoryClock, folder: Path) -> World:
    key = local_key(folder)

    async def source() -> bytes:
        return local_key_file(folder).read_bytes()

    users = UserTokens(KeyRing(source, clock), ISSUER, "shop", clock)
    tokens = JwtTokens(users, ServiceTokens(["s" * 32], "gateway", clock), clock)
    return tokens, lambda caller: sign(
        key, caller, issuer=ISSUER, audience="shop", valid_s=VALID_S, clock=clock
    )


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture(params=[in_memory, jwt], ids=["memory", "jwt"])
def world(request: pytest.FixtureRequest, clock: MemoryClock, tmp_path: Path) -> World:
    made: World = request.param(clock, tmp_path)
    return made


@pytest.mark.parametrize("role", [Role.USER, Role.VIEWER, Role.OPERATOR])
async def test_a_good_token_tells_its_caller_and_its_end(
    world: World, clock: MemoryClock, role: Role
) -> None:
    tokens, make = world
    verified = await tokens.verify(make(Caller(role, "alice")))
    assert verified.caller == Caller(role, "alice")
    assert verified.until == clock.now().timestamp() + VALID_S + LEEWAY_S


async def test_a_token_is_remembered_once_it_was_verified(world: World) -> None:
    tokens, make = world
    token = make(ALICE)
    assert tokens.remembered(token) is None
    verified = await tokens.verify(token)
    assert tokens.remembered(token) == verified


async def test_no_token_is_good_beyond_its_end(world: World, clock: MemoryClock) -> None:
    tokens, make = world
    token = make(ALICE)
    verified = await tokens.verify(token)
    clock.advance(verified.until - clock.now().timestamp() - 1)
    assert tokens.remembered(token) == verified
    clock.advance(1)
    assert tokens.remembered(token) is None
    with pytest.raises(Unauthenticated):
        await tokens.verify(token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
async def test_a_token_that_nobody_made_tells_nobody(world: World, token: str) -> None:
    tokens, _ = world
    with pytest.raises(Unauthenticated):
        await tokens.verify(token)
    assert tokens.remembered(token) is None

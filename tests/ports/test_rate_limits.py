"""Rate limits: each user and each address has their own, and nobody has another's."""

import pytest

from kernel.adapters.rate_limits.rate_limits import CountedRateLimits
from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import RateLimited
from kernel.ports.rate_limits import RateLimits
from tests.memory.clock import MemoryClock
from tests.memory.rate_limits import MemoryRateLimits

QUOTA = 3
ALICE, BOB = Caller(Role.USER, "alice"), Caller(Role.USER, "bob")
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(params=["memory", "counted"])
def limits(request: pytest.FixtureRequest) -> RateLimits:
    if request.param == "memory":
        return MemoryRateLimits(QUOTA)
    return CountedRateLimits(f"{QUOTA}/day", "gateway", MemoryClock())


async def calls(limits: RateLimits, caller: Caller, address: str) -> None:
    for _ in range(QUOTA):
        await limits.count(caller, address)


async def test_a_user_may_call_so_often_wherever_from(limits: RateLimits) -> None:
    await calls(limits, ALICE, HERE)
    for address in (HERE, THERE, ""):
        with pytest.raises(RateLimited):
            await limits.count(ALICE, address)
    await limits.count(BOB, HERE)
    await limits.require_room(HERE)


async def test_an_address_may_call_so_often_where_nobody_knows_who_calls(limits: RateLimits) -> None:
    await calls(limits, ANYONE, HERE)
    with pytest.raises(RateLimited):
        await limits.count(ANYONE, HERE)
    with pytest.raises(RateLimited):
        await limits.require_room(HERE)
    await limits.require_room(THERE)
    await limits.count(ALICE, HERE)
    await limits.count(Caller(Role.USER, HERE), HERE)


async def test_asking_for_room_takes_none(limits: RateLimits) -> None:
    for _ in range(QUOTA + 1):
        await limits.require_room(HERE)
    await calls(limits, ANYONE, HERE)


async def test_services_and_addresses_without_a_limit_may_call_as_they_like(limits: RateLimits) -> None:
    for _ in range(2):
        await calls(limits, Caller(Role.SERVICE, "orders", "orders"), HERE)
        await calls(limits, ANYONE, "")

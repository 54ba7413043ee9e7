"""Readings beside each other: what fails is named, and takes nothing from the others."""

import pytest

from kernel.application.read_apart import read_apart
from kernel.domain.errors import Unavailable
from kernel.domain.facts import Fact, Part, What
from tests.memory.clock import EPOCH

FACT = Fact(at=EPOCH, service="orders", what=What.ACCEPTED, source="orders")


async def reading(part: Part) -> Part:
    return part


async def failing(error: Exception) -> Part:
    raise error


async def test_parts_that_were_read_are_joined_and_the_others_are_named_with_the_reason() -> None:
    found = await read_apart(
        accounts=failing(Unavailable("the database is busy")),
        orders=reading(Part(facts=[FACT], user_id="alice")),
        messages=reading(Part(facts=[FACT], unread=["outbox: locked"])),
    )
    assert (found.facts, found.user_id) == ([FACT, FACT], "alice")
    assert found.unread == ["outbox: locked", "accounts: the database is busy"]


async def test_the_reason_is_raised_where_nothing_can_be_read() -> None:
    with pytest.raises(Unavailable, match="the database is away"):
        await read_apart(
            orders=failing(Unavailable("the database is away")), history=failing(Unavailable("busy"))
        )


async def test_any_other_failure_is_a_fault_of_ours_and_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await read_apart(orders=failing(ZeroDivisionError()), history=reading(Part()))

"""What holds a connection while it needs another one is done by one lane after the other."""

import asyncio

import pytest

from kernel.domain.errors import Unavailable
from kernel.wiring.background import in_turn


async def test_lanes_that_take_turns_are_never_at_it_at_once_and_a_failure_passes_the_turn_on() -> None:
    turn, at_it, most = asyncio.Lock(), 0, 0

    async def act(lane: int) -> int:
        nonlocal at_it, most
        at_it += 1
        most = max(most, at_it)
        await asyncio.sleep(0)
        at_it -= 1
        if not lane:
            raise ValueError
        return lane

    acts = [in_turn(act, turn)(lane) for lane in range(4)]
    failed, *done = await asyncio.gather(*acts, return_exceptions=True)
    assert (type(failed), done, most) == (ValueError, [1, 2, 3], 1)


async def test_a_lane_that_does_not_get_on_gives_up_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.wiring.background.TURN_MAX_S", 0.01)
    turn = asyncio.Lock()

    async def act(lane: int) -> int:
        if not lane:
            await asyncio.Event().wait()
        return lane

    stuck, done = await asyncio.gather(
        *(in_turn(act, turn)(lane) for lane in range(2)), return_exceptions=True
    )
    assert (type(stuck), done) == (Unavailable, 1)

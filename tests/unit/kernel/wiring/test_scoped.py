"""A use case as a function: nobody shares one with anybody else who is at work."""

import asyncio

import pytest
from dishka import Provider, Scope, make_async_container

from kernel.wiring.use_cases import scoped


class Act:
    """Waits until it may end; an error is raised then."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, go: asyncio.Event, error: Exception | None = None) -> "Act":
        self.calls += 1
        await go.wait()
        if error is not None:
            raise error
        return self


async def test_each_call_has_one_to_itself_which_is_used_again_unless_it_failed() -> None:
    provider = Provider()
    provider.provide(Act, scope=Scope.REQUEST)
    act = scoped(make_async_container(provider), Act)
    go, ended = asyncio.Event(), asyncio.Event()
    ended.set()
    both = [asyncio.create_task(act(go)) for _ in range(2)]
    cancelled = asyncio.create_task(act(go))
    await asyncio.sleep(0)
    third = await act(ended)
    cancelled.cancel()
    go.set()
    first, second = await asyncio.gather(*both)
    assert len({first, second, third}) == 3
    with pytest.raises(ValueError, match="failed"):
        await act(ended, ValueError("failed"))
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert {await act(ended) for _ in range(3)} < {first, second, third}
    assert sum(one.calls for one in (first, second, third)) == 7

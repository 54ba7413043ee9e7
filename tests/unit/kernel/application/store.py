"""A store behind a group commit, which fails as it is told."""

import asyncio
from collections.abc import Callable, Sequence

Batch = Sequence[int]


class Store:
    """Keeps the batches that it was given; `react` may raise. Answers each number with its text.

    While `gate` is closed a batch stays in flight.
    """

    def __init__(self, react: Callable[[Batch], None] = lambda _: None) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._react = react

    async def __call__(self, batch: Batch) -> list[str | Exception]:
        self.batches.append(list(batch))
        await self.gate.wait()
        self._react(batch)
        return [str(number) for number in batch]

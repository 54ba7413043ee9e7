"""Turns use cases into functions."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, Protocol, TypeVar

from dishka import AsyncContainer

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class UseCase(Protocol[P, R_co]):
    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


def scoped(container: AsyncContainer, use_case: type[UseCase[P, R]]) -> Callable[P, Awaitable[R]]:
    """Returns the use case as a function. Each call has its own instance, and so its own unit of work.

    Instances are pooled, because building one costs about as much as a call. None of its parts needs closing.
    """
    idle: list[UseCase[P, R]] = []

    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if idle:
            act = idle.pop()
        else:
            async with container() as scope:
                act = await scope.get(use_case)
        result = await act(*args, **kwargs)
        idle.append(act)
        return result

    return call

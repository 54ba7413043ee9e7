"""Asks several services and joins their answers. The part of a service that does not answer is unknown."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from kernel.domain.errors import Unavailable
from kernel.domain.value import value

S = TypeVar("S")
T = TypeVar("T")


@value
class Parts(Generic[T]):
    known: Mapping[str, T]
    """The answers, by the name of the service or of the part."""
    unknown: Sequence[str]


@value
class Page(Generic[T]):
    items: Sequence[T]
    more: bool
    """Whether more items follow this page."""
    unknown: Sequence[str]


async def parts_of(services: Mapping[str, S], ask: Callable[[S], Awaitable[T]]) -> Parts[T]:
    """Calls `ask` for all services at once. Raises Unavailable if no service answers."""
    return await joined({name: ask(service) for name, service in services.items()})


async def joined(asked: Mapping[str, Awaitable[T]]) -> Parts[T]:
    """Awaits all parts at once. `asked` maps names to parts. Raises Unavailable if all parts fail."""
    answers = await asyncio.gather(*asked.values(), return_exceptions=True)
    known: dict[str, T] = {}
    away: dict[str, Unavailable] = {}
    for name, answer in zip(asked, answers, strict=True):
        if isinstance(answer, Unavailable):
            away[name] = answer
        elif isinstance(answer, BaseException):
            raise answer
        else:
            known[name] = answer
    if not known:
        raise next(iter(away.values()))
    return Parts(known, list(away))


def page_of(
    parts: Parts[Sequence[T]], limit: int, place: Callable[[T], Any], *, newest_first: bool = False
) -> Page[T]:
    """Merges the pages of the services into one page, sorted by `place`."""
    items = sorted((item for some in parts.known.values() for item in some), key=place, reverse=newest_first)
    more = len(items) > limit or any(len(some) == limit for some in parts.known.values())
    return Page(items[:limit], more, parts.unknown)

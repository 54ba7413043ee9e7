"""What an operator does about the messages that wait: first chooses, then acts on what was chosen."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from kernel.domain.errors import NotFound
from kernel.domain.events import Parked
from shop.dead_letters.listing import Listing, list_messages
from shop.dead_letters.places import Name, Place, open_places
from shop.services import Shop


@dataclass(frozen=True, slots=True)
class Choice:
    """Exactly one of the three says which messages are meant."""

    ids: frozenset[UUID] = frozenset()
    reason: str | None = None
    everything: bool = False

    def covers(self, parked: Parked) -> bool:
        return self.everything or parked.id in self.ids or parked.unhandled.reason == self.reason


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a choice found in one place: from here on known by id, so that nothing newer is touched."""

    service: str
    place: Name
    ids: frozenset[UUID]
    reasons: Counter[str]


async def look(shop: Shop, services: Sequence[str], *, count_max: int) -> Listing:
    """At most `count_max` messages of each place."""
    async with open_places(shop, services) as places:
        return await list_messages(places, count_max=count_max)


async def choose(shop: Shop, services: Sequence[str], choice: Choice) -> list[Chosen]:
    """Raises NotFound for an id that names nothing that waits."""
    async with open_places(shop, services) as places:
        chosen = [await _choose(place, choice) for place in places]
    missing = choice.ids.difference(*(found.ids for found in chosen))
    if missing:
        raise NotFound("message_not_found", f"no message {min(missing)} waits here")
    return chosen


async def replay(shop: Shop, services: Sequence[str], chosen: Collection[Chosen]) -> int:
    """How many of them still waited, and go back to their consumer."""
    async with open_places(shop, services) as places:
        return sum([await place.replay(ids) for place in places if (ids := _ids(place, chosen))])


async def discard(
    shop: Shop, services: Sequence[str], chosen: Collection[Chosen], *, by: str, note: str
) -> int:
    """How many of them still waited, and are recorded."""
    async with open_places(shop, services) as places:
        counts = [
            await place.discard(ids, by=by, note=note) for place in places if (ids := _ids(place, chosen))
        ]
    return sum(counts)


async def _choose(place: Place, choice: Choice) -> Chosen:
    ids: set[UUID] = set()
    reasons: Counter[str] = Counter()
    async with aclosing(place.messages()) as waiting:
        async for parked in waiting:
            if choice.covers(parked):
                ids.add(parked.id)
                reasons[parked.unhandled.reason] += 1
    return Chosen(place.service, place.name, frozenset(ids), reasons)


def _ids(place: Place, chosen: Iterable[Chosen]) -> Collection[UUID]:
    of_place = (some.ids for some in chosen if (some.service, some.place) == (place.service, place.name))
    return next(of_place, frozenset())

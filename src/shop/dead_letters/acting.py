"""Lists, chooses, replays, discards and holds parked messages in the databases, for `shop dead-letters`."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from kernel.contracts.parked import (
    Operation,
    ParkedGroup,
    ParkedMessage,
    group_body,
    message_body,
    operation_body,
)
from kernel.domain.caller import Caller
from kernel.domain.errors import NotFound
from kernel.domain.parked import Group, Kind
from kernel.domain.value import value
from shop.dead_letters.opening import Operated, open_services
from shop.services import Shop

_PAGE = 500


class Listing(msgspec.Struct, frozen=True, rename="camel"):
    """Groups and messages. `more` is true if some service has more messages than the limit."""

    groups: list[ParkedGroup]
    messages: list[ParkedMessage]
    more: bool


@value
class Choice:
    """Selects parked messages: by id, group, reason, or all of them. Exactly one field is set."""

    ids: Sequence[UUID] = ()
    group: UUID | None = None
    reason: str | None = None
    everything: bool = False


@value
class Chosen:
    """A selected message, or a selected group of messages, of one service."""

    service: str
    id: UUID
    reason: str
    messages: int = 1
    is_group: bool = False


async def look_at_groups(shop: Shop, services: Sequence[str], caller: Caller) -> list[ParkedGroup]:
    async with open_services(shop, services) as opened:
        return [group_body(group) for group, _ in await _groups(opened, caller)]


async def look(
    shop: Shop, services: Sequence[str], caller: Caller, *, group: UUID | None, count_max: int
) -> Listing:
    """Lists groups, and up to `count_max` messages per service. Raises NotFound for an unknown group."""
    async with open_services(shop, services) as opened:
        found = [
            (group_body(one), at) for one, at in await _groups(opened, caller) if group in (None, one.id)
        ]
        if group is not None and not found:
            raise NotFound("group_not_found", f"there is no group {group}")
        messages: list[ParkedMessage] = []
        more = False
        for one in opened if group is None else [at for _, at in found]:
            own = await _messages(one, caller, group, count_max + 1)
            more = more or len(own) > count_max
            messages += own[:count_max]
    order = {one.id: number for number, (one, _) in enumerate(found)}
    messages.sort(key=lambda message: order.get(message.group, len(order)))
    return Listing([one for one, _ in found], messages, more)


async def choose(shop: Shop, services: Sequence[str], caller: Caller, choice: Choice) -> list[Chosen]:
    """Returns the selected messages or groups. Raises NotFound if one does not exist."""
    async with open_services(shop, services) as opened:
        if choice.ids:
            return [await _message(opened, caller, id) for id in dict.fromkeys(choice.ids)]
        chosen = [
            Chosen(at.service, one.id, one.cause.reason, one.figures.messages, is_group=True)
            for one, at in await _groups(opened, caller)
            if one.figures
            and (choice.everything or choice.group == one.id or choice.reason == one.cause.reason)
        ]
    if choice.group is not None and not chosen:
        raise NotFound("group_not_found", f"no message of a group {choice.group} waits")
    return chosen


async def act(
    shop: Shop, services: Sequence[str], caller: Caller, kind: Kind, chosen: Sequence[Chosen], note: str
) -> list[Operation]:
    """Runs one operation for each chosen message or group, and returns it. Skips those that are gone."""
    done = []
    async with open_services(shop, services) as opened:
        by_name = {one.service: one for one in opened}
        for one in chosen:
            at = by_name[one.service]
            begin = at.operate.group if one.is_group else at.operate.message
            try:
                begun = await begin(caller, kind, one.id, note)
            except NotFound:
                continue
            done.append(operation_body(await at.finish(caller, begun.id), at.service))
    return done


async def hold(
    shop: Shop, services: Sequence[str], caller: Caller, group: UUID, *, owner: str, note: str, ticket: str
) -> ParkedGroup:
    """Holds the group for `owner`, and returns it. Raises NotFound if no service has it."""
    async with open_services(shop, services) as opened:
        at = await _that_has(opened, caller, group)
        return group_body(await at.operate.hold(caller, group, owner=owner, note=note, ticket=ticket))


async def release(shop: Shop, services: Sequence[str], caller: Caller, group: UUID, note: str) -> ParkedGroup:
    """Releases the group from its owner, and returns it. Raises NotFound if no service has it."""
    async with open_services(shop, services) as opened:
        at = await _that_has(opened, caller, group)
        return group_body(await at.operate.release(caller, group, note))


async def _groups(opened: Sequence[Operated], caller: Caller) -> list[tuple[Group, Operated]]:
    found = [(group, at) for at in opened for group in await at.read.groups(caller)]
    return sorted(found, key=lambda item: (item[0].service, item[0].cause.place, str(item[0].cause)))


async def _that_has(opened: Sequence[Operated], caller: Caller, group: UUID) -> Operated:
    for one, at in await _groups(opened, caller):
        if one.id == group:
            return at
    raise NotFound("group_not_found", f"there is no group {group}")


async def _message(opened: Sequence[Operated], caller: Caller, id: UUID) -> Chosen:
    for at in opened:
        try:
            found = await at.read.message(caller, id)
        except NotFound:
            continue
        return Chosen(at.service, id, found.cause.reason)
    raise NotFound("message_not_found", f"no message {id} waits here")


async def _messages(at: Operated, caller: Caller, group: UUID | None, count_max: int) -> list[ParkedMessage]:
    messages: list[ParkedMessage] = []
    while len(messages) < count_max:
        after = messages[-1].id if messages else None
        page = await at.read.page(
            caller, group=group, after=after, limit=min(_PAGE, count_max - len(messages))
        )
        if not page:
            break
        messages += [message_body(one, at.service, payload_bytes=one.size) for one in page]
    return messages

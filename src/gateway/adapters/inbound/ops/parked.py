"""The routes by which operators read and handle the parked messages of all services."""

from typing import Any

import msgspec
from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from gateway.application.join_parked import JoinParked
from gateway.application.parts import Page
from gateway.ports.operators import Listed, What
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.paging import PAGE_SIZE, After, PageLimit, next_page
from kernel.adapters.http.documents.operations import Operation, path_of
from kernel.adapters.http.operators import parked_operations as operations
from kernel.adapters.http.operators.declaring import page
from kernel.adapters.http.operators.parked import GROUPS, PARKED
from kernel.contracts.http import ResponseBody
from kernel.contracts.parked import ParkedGroup, ParkedMessage
from kernel.contracts.values import encode


class Parked(ResponseBody, frozen=True):
    """`unknown` names the services that did not answer; their messages are missing."""

    messages: list[ParkedMessage]
    unknown: list[str]


class ParkedGroups(ResponseBody, frozen=True):
    """`unknown` names the services that did not answer; their groups are missing."""

    groups: list[ParkedGroup]
    unknown: list[str]


READ_PARKED = page(
    operations.LIST_PARKED["path"],
    "readParked",
    "Messages that their service could not handle, sorted by id",
    answer=(Parked, "A page", Parked([operations.MESSAGE], ["payments"])),
)
READ_GROUPS = page(
    operations.LIST_GROUPS["path"],
    "readParkedGroups",
    "Groups of parked messages with the same service, place, reason and type",
    answer=(ParkedGroups, "A page", ParkedGroups([operations.GROUP], ["payments"])),
)


@get(**READ_PARKED)
@inject
async def read_parked(
    join: FromDishka[JoinParked],
    group: operations.InGroup = None,
    after: After = None,
    limit: PageLimit = PAGE_SIZE,
) -> JsonAnswer[bytes]:
    found = await join.page(calling(), "messages", group=group, after=after, limit=limit)
    return _answer(found, "messages", PARKED, {"group": str(group) if group else None}, limit)


@get(**READ_GROUPS)
@inject
async def read_groups(
    join: FromDishka[JoinParked], after: After = None, limit: PageLimit = PAGE_SIZE
) -> JsonAnswer[bytes]:
    found = await join.page(calling(), "groups", after=after, limit=limit)
    return _answer(found, "groups", GROUPS, {}, limit)


def _answer(
    found: Page[Listed], name: What, route: str, query: dict[str, str | None], limit: int
) -> JsonAnswer[bytes]:
    last = str(found.items[-1].id) if found.more else None
    body = {name: [msgspec.Raw(item.body) for item in found.items], "unknown": found.unknown}
    return JsonAnswer(encode(body), headers=next_page(route, {**query, "limit": str(limit)}, after=last))


def _read(operation: Operation, id: Any) -> HTTPRouteHandler:
    """Makes a route that passes a read on to the service that owns the id. `id` is the parameter's type."""

    @get(**operation)
    @inject
    async def read(about: id, join: FromDishka[JoinParked]) -> JsonAnswer[bytes]:
        return passed_on(await join.read(calling(), path_of(operation, about)))

    return read


def _act(operation: Operation, id: Any) -> HTTPRouteHandler:
    @post(**operation)
    @inject
    async def act(about: id, join: FromDishka[JoinParked]) -> JsonAnswer[bytes]:
        return passed_on(await join.act(calling(), path_of(operation, about)))

    return act


def _act_with(operation: Operation, id: Any, body: Any) -> HTTPRouteHandler:
    @post(**operation)
    @inject
    async def act(about: id, data: body, join: FromDishka[JoinParked]) -> JsonAnswer[bytes]:
        return passed_on(await join.act(calling(), path_of(operation, about), encode(data)))

    return act


HANDLERS = (
    read_parked,
    read_groups,
    _read(operations.GET_PARKED, operations.MessageId),
    _act(operations.REPLAY_PARKED, operations.MessageId),
    _act_with(operations.DISCARD_PARKED, operations.MessageId, operations.DiscardBody),
    _read(operations.GET_GROUP, operations.GroupId),
    _act_with(operations.HOLD_GROUP, operations.GroupId, operations.HoldBody),
    _act(operations.RELEASE_GROUP, operations.GroupId),
    _act(operations.REPLAY_GROUP, operations.GroupId),
    _act_with(operations.DISCARD_GROUP, operations.GroupId, operations.DiscardBody),
    _read(operations.GET_OPERATION, operations.OperationId),
)

"""What could not be handled in any service, and what operators do about it."""

from uuid import UUID

import msgspec
from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post

from gateway.application.join_parked import Joined, JoinParked
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.headers import LINK, answering_with
from kernel.adapters.http.conventions.paging import PAGE_SIZE, After, PageLimit, next_page
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import ALWAYS, AWAY, FORBIDDEN, Operation, answering
from kernel.adapters.http.operators import parked_operations as operations
from kernel.adapters.http.operators.parked import GROUPS, PARKED
from kernel.contracts.http import ResponseBody
from kernel.contracts.parked import ParkedGroup, ParkedMessage
from kernel.contracts.problems import COMMON
from kernel.contracts.values import encode


class Parked(ResponseBody, frozen=True):
    """`unknown` names the services that do not answer: what waits there is missing."""

    messages: list[ParkedMessage]
    unknown: list[str]


class ParkedGroups(ResponseBody, frozen=True):
    """`unknown` names the services that do not answer: what waits there is missing."""

    groups: list[ParkedGroup]
    unknown: list[str]


READ_PARKED = Operation(
    path=operations.LIST_PARKED["path"],
    operation_id="readParked",
    summary="Messages that no service could handle, in the order of their ids",
    operation_class=answering_with(LINK),
    responses=answering(200, Parked, "A page", Parked([operations.MESSAGE], ["payments"]))
    | problems(COMMON, *ALWAYS, FORBIDDEN, *AWAY),
)
READ_GROUPS = Operation(
    path=operations.LIST_GROUPS["path"],
    operation_id="readParkedGroups",
    summary="What failures have in common: service, place, reason and type",
    operation_class=answering_with(LINK),
    responses=answering(200, ParkedGroups, "A page", ParkedGroups([operations.GROUP], ["payments"]))
    | problems(COMMON, *ALWAYS, FORBIDDEN, *AWAY),
)


@get(**READ_PARKED)
@inject
async def read_parked(
    join: FromDishka[JoinParked],
    group: operations.InGroup = None,
    after: After = None,
    limit: PageLimit = PAGE_SIZE,
) -> JsonAnswer[bytes]:
    joined = await join.page(calling(), "messages", group=group, after=after, limit=limit)
    return _page(joined, "messages", PARKED, {"group": str(group) if group else None}, limit)


@get(**READ_GROUPS)
@inject
async def read_groups(
    join: FromDishka[JoinParked], after: After = None, limit: PageLimit = PAGE_SIZE
) -> JsonAnswer[bytes]:
    joined = await join.page(calling(), "groups", after=after, limit=limit)
    return _page(joined, "groups", GROUPS, {}, limit)


def _page(
    joined: Joined, name: str, route: str, query: dict[str, str | None], limit: int
) -> JsonAnswer[bytes]:
    last = str(joined.items[-1].id) if joined.more else None
    body = {name: [msgspec.Raw(item.body) for item in joined.items], "unknown": joined.unknown}
    return JsonAnswer(encode(body), headers=next_page(route, {**query, "limit": str(limit)}, after=last))


@get(**operations.GET_PARKED)
@inject
async def read_one(message_id: operations.MessageId, join: FromDishka[JoinParked]) -> JsonAnswer[bytes]:
    return passed_on(await join.read(calling(), _path(operations.GET_PARKED, message_id)))


@post(**operations.REPLAY_PARKED)
@inject
async def replay_one(message_id: operations.MessageId, join: FromDishka[JoinParked]) -> JsonAnswer[bytes]:
    return passed_on(await join.act(calling(), _path(operations.REPLAY_PARKED, message_id)))


@post(**operations.DISCARD_PARKED)
@inject
async def discard_one(
    message_id: operations.MessageId, data: operations.DiscardBody, join: FromDishka[JoinParked]
) -> JsonAnswer[bytes]:
    return passed_on(await join.act(calling(), _path(operations.DISCARD_PARKED, message_id), encode(data)))


@get(**operations.GET_GROUP)
@inject
async def read_group(group_id: operations.GroupId, join: FromDishka[JoinParked]) -> JsonAnswer[bytes]:
    return passed_on(await join.read(calling(), _path(operations.GET_GROUP, group_id)))


@post(**operations.HOLD_GROUP)
@inject
async def hold_group(
    group_id: operations.GroupId, data: operations.HoldBody, join: FromDishka[JoinParked]
) -> JsonAnswer[bytes]:
    return passed_on(await join.act(calling(), _path(operations.HOLD_GROUP, group_id), encode(data)))


@post(**operations.RELEASE_GROUP)
@inject
async def release_group(group_id: operations.GroupId, join: FromDishka[JoinParked]) -> JsonAnswer[bytes]:
    return passed_on(await join.act(calling(), _path(operations.RELEASE_GROUP, group_id)))


@post(**operations.REPLAY_GROUP)
@inject
async def replay_group(group_id: operations.GroupId, join: FromDishka[JoinParked]) -> JsonAnswer[bytes]:
    return passed_on(await join.act(calling(), _path(operations.REPLAY_GROUP, group_id)))


@post(**operations.DISCARD_GROUP)
@inject
async def discard_group(
    group_id: operations.GroupId, data: operations.DiscardBody, join: FromDishka[JoinParked]
) -> JsonAnswer[bytes]:
    return passed_on(await join.act(calling(), _path(operations.DISCARD_GROUP, group_id), encode(data)))


@get(**operations.GET_OPERATION)
@inject
async def read_operation(
    operation_id: operations.OperationId, join: FromDishka[JoinParked]
) -> JsonAnswer[bytes]:
    return passed_on(await join.read(calling(), _path(operations.GET_OPERATION, operation_id)))


def _path(operation: Operation, id: UUID) -> str:
    return operation["path"].replace("{id:str}", str(id))


HANDLERS = (
    read_parked,
    read_groups,
    read_one,
    replay_one,
    discard_one,
    read_group,
    hold_group,
    release_group,
    replay_group,
    discard_group,
    read_operation,
)

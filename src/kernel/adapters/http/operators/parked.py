"""The routes with which operators read, replay, discard and hold the parked messages of this service."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.headers import LOCATION
from kernel.adapters.http.conventions.paging import PAGE_SIZE, After, PageLimit, next_page
from kernel.adapters.http.documents.operations import Operation as Documented
from kernel.adapters.http.operators import parked_operations as operations
from kernel.application.operate import OperateParked
from kernel.application.read_parked import ReadParked
from kernel.contracts import parked
from kernel.domain.caller import Caller
from kernel.domain.parked import Kind, Operation

PARKED = "/ops/parked"
GROUPS = f"{PARKED}/groups"
PAYLOAD_BYTES = 16 * 1024

Begin = Callable[[OperateParked, Caller, Kind, UUID, str], Awaitable[Operation]]


@get(**operations.LIST_PARKED)
@inject
async def list_parked(
    read: FromDishka[ReadParked],
    group: operations.InGroup = None,
    after: After = None,
    limit: PageLimit = PAGE_SIZE,
) -> JsonAnswer[list[parked.ParkedMessage]]:
    page = await read.page(calling(), group=group, after=after, limit=limit + 1)
    query = {"group": str(group) if group else None, "limit": str(limit)}
    link = next_page(PARKED, query, after=str(page[limit - 1].id) if len(page) > limit else None)
    return JsonAnswer([parked.message_body(one, read.service) for one in page[:limit]], headers=link)


@get(**operations.GET_PARKED)
@inject
async def get_parked(
    message_id: operations.MessageId, read: FromDishka[ReadParked]
) -> JsonAnswer[parked.ParkedMessage]:
    found = await read.message(calling(), message_id)
    return JsonAnswer(parked.message_body(found, read.service, payload_bytes=PAYLOAD_BYTES))


@get(**operations.LIST_GROUPS)
@inject
async def list_groups(
    read: FromDishka[ReadParked], after: After = None, limit: PageLimit = PAGE_SIZE
) -> JsonAnswer[list[parked.ParkedGroup]]:
    groups = await read.groups(calling())
    page = [group for group in groups if after is None or group.id > after]
    last = str(page[limit - 1].id) if len(page) > limit else None
    link = next_page(GROUPS, {"limit": str(limit)}, after=last)
    return JsonAnswer([parked.group_body(group) for group in page[:limit]], headers=link)


@get(**operations.GET_GROUP)
@inject
async def get_group(
    group_id: operations.GroupId, read: FromDishka[ReadParked]
) -> JsonAnswer[parked.ParkedGroup]:
    return JsonAnswer(parked.group_body(await read.group(calling(), group_id)))


@post(**operations.HOLD_GROUP)
@inject
async def hold_group(
    group_id: operations.GroupId, data: operations.HoldBody, operate: FromDishka[OperateParked]
) -> JsonAnswer[parked.ParkedGroup]:
    held = await operate.hold(calling(), group_id, owner=data.owner, note=data.note, ticket=data.ticket)
    return JsonAnswer(parked.group_body(held))


@post(**operations.RELEASE_GROUP)
@inject
async def release_group(
    group_id: operations.GroupId, operate: FromDishka[OperateParked]
) -> JsonAnswer[parked.ParkedGroup]:
    return JsonAnswer(parked.group_body(await operate.release(calling(), group_id, "")))


@get(**operations.GET_OPERATION)
@inject
async def get_operation(
    operation_id: operations.OperationId, read: FromDishka[ReadParked]
) -> JsonAnswer[parked.Operation]:
    found = await read.operation(calling(), operation_id)
    return JsonAnswer(parked.operation_body(found, read.service))


def _replay(operation: Documented, id: Any, begin: Begin) -> HTTPRouteHandler:
    """A route that starts a replay. `id` is the annotated type of its path parameter."""

    @post(**operation)
    @inject
    async def replay(about: id, operate: FromDishka[OperateParked]) -> JsonAnswer[parked.Operation]:
        return _begun(await begin(operate, calling(), Kind.REPLAY, about, ""), operate.service)

    return replay


def _discard(operation: Documented, id: Any, begin: Begin) -> HTTPRouteHandler:
    @post(**operation)
    @inject
    async def discard(
        about: id, data: operations.DiscardBody, operate: FromDishka[OperateParked]
    ) -> JsonAnswer[parked.Operation]:
        return _begun(await begin(operate, calling(), Kind.DISCARD, about, data.note), operate.service)

    return discard


def _begun(operation: Operation, service: str) -> JsonAnswer[parked.Operation]:
    location = {LOCATION: f"/ops/operations/{operation.id}"}
    return JsonAnswer(parked.operation_body(operation, service), headers=location)


HANDLERS = (
    list_parked,
    get_parked,
    _replay(operations.REPLAY_PARKED, operations.MessageId, OperateParked.message),
    _discard(operations.DISCARD_PARKED, operations.MessageId, OperateParked.message),
    list_groups,
    get_group,
    hold_group,
    release_group,
    _replay(operations.REPLAY_GROUP, operations.GroupId, OperateParked.group),
    _discard(operations.DISCARD_GROUP, operations.GroupId, OperateParked.group),
    get_operation,
)

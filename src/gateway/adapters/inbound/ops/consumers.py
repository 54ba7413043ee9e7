"""The consumers of all services, which operators pause and resume."""

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post

from gateway.application.operate_consumers import OperateConsumers
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import ALWAYS, AWAY, FORBIDDEN, Operation, answering
from kernel.adapters.http.operators import consumer_operations as operations
from kernel.contracts.consumers import Consumer, consumer_body
from kernel.contracts.http import ResponseBody
from kernel.contracts.problems import COMMON
from kernel.contracts.values import encode


class Consumers(ResponseBody, frozen=True):
    """`unknown` names the services that do not answer."""

    consumers: list[Consumer]
    unknown: list[str]


READ_CONSUMERS = Operation(
    path=operations.LIST_CONSUMERS["path"],
    operation_id="readConsumers",
    summary="The consumers of all services, and which are paused",
    responses=answering(200, Consumers, "All of them", Consumers([Consumer("orders", None)], ["payments"]))
    | problems(COMMON, *ALWAYS, FORBIDDEN, *AWAY),
)


@get(**READ_CONSUMERS)
@inject
async def read_consumers(operate: FromDishka[OperateConsumers]) -> JsonAnswer[Consumers]:
    joined = await operate.read(calling())
    return JsonAnswer(Consumers(list(map(consumer_body, joined.consumers)), list(joined.unknown)))


@post(**operations.PAUSE_CONSUMER)
@inject
async def pause(
    service: operations.ServiceName,
    operate: FromDishka[OperateConsumers],
    data: operations.NoteBody = operations.NO_NOTE,
) -> JsonAnswer[bytes]:
    return passed_on(
        await operate.act(calling(), service, _path(operations.PAUSE_CONSUMER, service), encode(data))
    )


@post(**operations.RESUME_CONSUMER)
@inject
async def resume(
    service: operations.ServiceName,
    operate: FromDishka[OperateConsumers],
    data: operations.NoteBody = operations.NO_NOTE,
) -> JsonAnswer[bytes]:
    return passed_on(
        await operate.act(calling(), service, _path(operations.RESUME_CONSUMER, service), encode(data))
    )


def _path(operation: Operation, service: str) -> str:
    return operation["path"].replace("{service:str}", service)


HANDLERS = (read_consumers, pause, resume)

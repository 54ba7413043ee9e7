"""The consumer of this service, which operators pause and resume."""

from collections.abc import Awaitable, Callable

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.operators import consumer_operations as operations
from kernel.application.pause_consumer import OperateConsumer
from kernel.contracts.consumers import Consumer, consumer_body
from kernel.domain.caller import Caller
from kernel.domain.errors import NotFound
from kernel.domain.pauses import ConsumerState


@get(**operations.LIST_CONSUMERS)
@inject
async def list_consumers(operate: FromDishka[OperateConsumer]) -> JsonAnswer[list[Consumer]]:
    return JsonAnswer([consumer_body(await operate.state(calling()))])


@post(**operations.PAUSE_CONSUMER)
@inject
async def pause_consumer(
    service: operations.ServiceName,
    operate: FromDishka[OperateConsumer],
    data: operations.NoteBody = operations.NO_NOTE,
) -> JsonAnswer[Consumer]:
    return await _done(operate, service, operate.pause, data.note)


@post(**operations.RESUME_CONSUMER)
@inject
async def resume_consumer(
    service: operations.ServiceName,
    operate: FromDishka[OperateConsumer],
    data: operations.NoteBody = operations.NO_NOTE,
) -> JsonAnswer[Consumer]:
    return await _done(operate, service, operate.resume, data.note)


async def _done(
    operate: OperateConsumer,
    service: str,
    act: Callable[[Caller, str], Awaitable[ConsumerState]],
    note: str,
) -> JsonAnswer[Consumer]:
    caller = calling().as_operator()
    if service != operate.service:
        raise NotFound("service_not_found", f"this is {operate.service}")
    return JsonAnswer(consumer_body(await act(caller, note)))


HANDLERS = (list_consumers, pause_consumer, resume_consumer)

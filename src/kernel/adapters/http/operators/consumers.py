"""The routes with which operators pause and resume the consumer of this service."""

from collections.abc import Awaitable, Callable

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.documents.operations import Operation
from kernel.adapters.http.operators import consumer_operations as operations
from kernel.application.pause_consumer import OperateConsumer
from kernel.contracts.consumers import Consumer, consumer_body
from kernel.domain.caller import Caller
from kernel.domain.errors import NotFound
from kernel.domain.pauses import ConsumerState

Act = Callable[[OperateConsumer, Caller, str], Awaitable[ConsumerState]]


@get(**operations.LIST_CONSUMERS)
@inject
async def list_consumers(operate: FromDishka[OperateConsumer]) -> JsonAnswer[list[Consumer]]:
    return JsonAnswer([consumer_body(await operate.state(calling()))])


def _change(operation: Operation, act: Act) -> HTTPRouteHandler:
    @post(**operation)
    @inject
    async def change(
        service: operations.ServiceName,
        operate: FromDishka[OperateConsumer],
        data: operations.NoteBody = operations.NO_NOTE,
    ) -> JsonAnswer[Consumer]:
        caller = calling().as_operator()
        if service != operate.service:
            raise NotFound("service_not_found", f"this is {operate.service}")
        return JsonAnswer(consumer_body(await act(operate, caller, data.note)))

    return change


HANDLERS = (
    list_consumers,
    _change(operations.PAUSE_CONSUMER, OperateConsumer.pause),
    _change(operations.RESUME_CONSUMER, OperateConsumer.resume),
)

"""The routes by which operators list, pause and resume the consumers of all services."""

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from gateway.application.act_at_service import ActAtService
from gateway.application.read_consumers import ReadConsumers
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.documents.operations import Operation, path_of
from kernel.adapters.http.operators import consumer_operations as operations
from kernel.adapters.http.operators.declaring import read
from kernel.contracts.consumers import Consumer, consumer_body
from kernel.contracts.http import ResponseBody
from kernel.contracts.values import encode


class Consumers(ResponseBody, frozen=True):
    """`unknown` names the services that did not answer; their consumers are missing."""

    consumers: list[Consumer]
    unknown: list[str]


READ_CONSUMERS = read(
    operations.LIST_CONSUMERS["path"],
    "readConsumers",
    "The consumers of all services and their pauses",
    answer=(Consumers, "The consumers", Consumers([Consumer("orders", None)], ["payments"])),
)


@get(**READ_CONSUMERS)
@inject
async def read_consumers(read: FromDishka[ReadConsumers]) -> JsonAnswer[Consumers]:
    parts = await read(calling())
    consumers = [consumer_body(state) for some in parts.known.values() for state in some]
    return JsonAnswer(Consumers(consumers, list(parts.unknown)))


def _change(operation: Operation) -> HTTPRouteHandler:
    """Makes a route that passes a change on to the service that the path names."""

    @post(**operation)
    @inject
    async def change(
        service: operations.ServiceName,
        act: FromDishka[ActAtService],
        data: operations.NoteBody = operations.NO_NOTE,
    ) -> JsonAnswer[bytes]:
        return passed_on(await act(calling(), service, path_of(operation, service), encode(data)))

    return change


HANDLERS = (read_consumers, _change(operations.PAUSE_CONSUMER), _change(operations.RESUME_CONSUMER))

from collections.abc import Sequence
from uuid import UUID

import aiohttp

from gateway import wire
from gateway.adapters.outbound.http_service import AsService, HttpService
from gateway.domain.orders import Change, Outcome, PlacementRequest
from kernel.adapters import request_id, trace_context
from kernel.adapters.http.documents.operations import Operation, path_of
from kernel.adapters.identity.bearer import NOT_BELIEVED
from kernel.application.trouble import Trouble
from kernel.contracts.values import decoder, encode
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import OutcomeUnknown, Unavailable
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer
from orders.contract import operations

NAMES_BYTES_MAX = 14 * 1024  # A head has at most 16 KiB.


_CANNOT_TELL = "the orders service cannot read orders now"


class UnexpectedAnswer(Exception):
    """The orders service answered a batch with an error that one order of the batch may have caused."""


class TooManyNames(Exception):
    """The trace ids and request ids of a batch exceed an HTTP head. Half a batch may fit."""


class HttpOrders:
    def __init__(
        self, session: aiohttp.ClientSession, orders_url: str, clock: Clock, as_service: AsService
    ) -> None:
        self._service = HttpService(session, orders_url + operations.ROUTE, "orders")
        self._as_service = as_service
        self._trouble = Trouble("the orders service", clock)

    async def place(self, orders: Sequence[PlacementRequest]) -> Sequence[Outcome]:
        """Sends one call for all users, for whom the gateway vouches, and one for each acting operator."""
        acting = dict.fromkeys(_acting(order) for order in orders)
        if len(acting) == 1:
            return await self._place(orders, *acting)
        outcomes: dict[int, Outcome] = {}
        for caller in acting:
            numbers = [number for number, order in enumerate(orders) if _acting(order) == caller]
            try:
                placed = await self._place([orders[number] for number in numbers], caller)
            except Unavailable as error:
                if not outcomes:
                    raise
                raise OutcomeUnknown("only a part of the orders was sent") from error
            outcomes |= zip(numbers, placed, strict=True)
        return [outcomes[number] for number in range(len(orders))]

    async def _place(self, orders: Sequence[PlacementRequest], acting: Caller | None) -> Sequence[Outcome]:
        body = b"[" + b",".join(order.body for order in orders) + b"]"
        names = trace_context.list_of([order.traceparent for order in orders])
        names += request_id.list_of([_own_id(order) for order in orders])
        if len(orders) > 1 and sum(len(line) for _, line in names) > NAMES_BYTES_MAX:
            raise TooManyNames
        answer = await self._write_as_service(operations.PLACE_ORDERS, body, acting, names)
        if answer.says_nothing_was_done:
            raise Unavailable("the orders service cannot take orders now")
        if answer.status != 200:
            raise UnexpectedAnswer(f"{answer.status} {answer.body[:500]!r}")
        outcomes = decoder(list[wire.RawBatchOutcome]).decode(answer.body)
        return [wire.outcome_of(order, outcome) for order, outcome in zip(orders, outcomes, strict=True)]

    async def cancel(self, order_id: UUID) -> HttpAnswer:
        return await self._service.write(path_of(operations.CANCEL_ORDER, order_id), body=b"")

    async def get(self, order_id: UUID, *, unless: str | None) -> HttpAnswer:
        return await self._service.read(path_of(operations.GET_ORDER, order_id), unless=unless)

    async def history(self, order_id: UUID, *, after: int | None) -> HttpAnswer:
        query = {"after": after}
        return await self._service.read(path_of(operations.GET_HISTORY, order_id), query=query)

    async def changes(self, order_ids: Sequence[UUID]) -> Sequence[Sequence[Change] | Exception]:
        # One read serves many watchers, so it carries no trace and no request id.
        trace_context.CURRENT.set("")
        request_id.CURRENT.set("")
        answer = await self._write_as_service(operations.READ_CHANGES, encode(order_ids), None)
        if answer.status != 200:
            raise Unavailable(_CANNOT_TELL)
        histories = wire.status_histories(answer.body)
        return [Unavailable(_CANNOT_TELL) if one is None else one for one in histories]

    async def page(
        self, *, user_id: str | None, status: str | None, after: UUID | None, limit: int
    ) -> HttpAnswer:
        query = {"userId": user_id, "status": status, "after": after, "limit": limit}
        return await self._service.read("", query=query)

    async def _write_as_service(
        self,
        operation: Operation,
        body: bytes,
        acting: Caller | None,
        more: Sequence[tuple[str, str]] = (),
    ) -> HttpAnswer:
        """Sends a POST as the gateway. Raises Unavailable if the service rejects the gateway's own token,
        because no caller can correct that."""
        authorized = self._as_service(acting)
        answer = await self._service.write(operation["path"], body=body, authorized=authorized, more=more)
        if answer.status == 401:
            self._trouble.report("not believed", NOT_BELIEVED)
            raise Unavailable("the orders service does not accept the gateway's token")
        self._trouble.over()
        return answer


def _acting(order: PlacementRequest) -> Caller | None:
    """The operator who places the order for its user; None when the user places it."""
    return order.caller if order.caller.role is Role.OPERATOR else None


def _own_id(order: PlacementRequest) -> str:
    """The request id; empty when it equals the trace id, which the traceparent carries already."""
    own_id = order.request_id
    return "" if own_id == request_id.trace_id(order.traceparent) else own_id

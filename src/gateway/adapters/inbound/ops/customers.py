"""The routes by which operators change a customer's account or cancel a customer's order."""

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, post
from litestar.handlers import HTTPRouteHandler

from gateway.application.act_at_service import ActAtService
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.idempotency import RequiredKey
from kernel.adapters.http.documents.operations import Operation, path_of
from kernel.adapters.http.parsing.values import user_id_of
from kernel.contracts.values import encode
from orders.contract import operations as of_orders
from payments.contract import operations as of_payments


def _freezing(operation: Operation) -> HTTPRouteHandler:
    @post(**operation)
    @inject
    async def freeze(
        self: Controller,
        user_id: of_payments.UserIdInPath,
        data: of_payments.NotedBody,
        act: FromDishka[ActAtService],
    ) -> JsonAnswer[bytes]:
        path = _path(operation, user_id)
        return passed_on(await act(calling(), "payments", path, encode(data)))

    return freeze


class OperatedAccountsController(Controller):
    path = of_payments.OPERATED

    freeze = _freezing(of_payments.FREEZE_ACCOUNT)
    unfreeze = _freezing(of_payments.UNFREEZE_ACCOUNT)

    @post(**of_payments.CORRECT_ACCOUNT)
    @inject
    async def correct(
        self,
        user_id: of_payments.UserIdInPath,
        data: of_payments.CorrectionBody,
        act: FromDishka[ActAtService],
        idempotency_key: RequiredKey,
    ) -> JsonAnswer[bytes]:
        path = _path(of_payments.CORRECT_ACCOUNT, user_id)
        return passed_on(await act(calling(), "payments", path, encode(data), key=idempotency_key))


class OperatedOrdersController(Controller):
    path = of_orders.OPERATED

    @post(**of_orders.CANCEL_FOR_CUSTOMER)
    @inject
    async def cancel(
        self, order_id: of_orders.OrderIdInPath, data: of_orders.NotedBody, act: FromDishka[ActAtService]
    ) -> JsonAnswer[bytes]:
        path = of_orders.OPERATED + path_of(of_orders.CANCEL_FOR_CUSTOMER, order_id)
        return passed_on(await act(calling(), "orders", path, encode(data)))


def _path(operation: Operation, user_id: str) -> str:
    """The path of the operation at the payments service. Raises Invalid for `userId` if it is malformed."""
    return of_payments.OPERATED + path_of(operation, user_id_of(user_id))

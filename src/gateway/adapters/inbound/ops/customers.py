"""What operators do for customers."""

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, post

from gateway.application.act_for_customers import ActForCustomers
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.idempotency import RequiredKey
from kernel.adapters.http.parsing.values import user_id_of
from kernel.contracts.values import encode
from orders.contract import operations as of_orders
from payments.contract import operations as of_payments


class OperatedAccountsController(Controller):
    path = of_payments.OPERATED

    @post(**of_payments.FREEZE_ACCOUNT)
    @inject
    async def freeze(
        self,
        user_id: of_payments.UserIdInPath,
        data: of_payments.NotedBody,
        act: FromDishka[ActForCustomers],
    ) -> JsonAnswer[bytes]:
        return passed_on(await act.freeze(calling(), user_id_of(user_id), encode(data)))

    @post(**of_payments.UNFREEZE_ACCOUNT)
    @inject
    async def unfreeze(
        self,
        user_id: of_payments.UserIdInPath,
        data: of_payments.NotedBody,
        act: FromDishka[ActForCustomers],
    ) -> JsonAnswer[bytes]:
        return passed_on(await act.unfreeze(calling(), user_id_of(user_id), encode(data)))

    @post(**of_payments.CORRECT_ACCOUNT)
    @inject
    async def correct(
        self,
        user_id: of_payments.UserIdInPath,
        data: of_payments.CorrectionBody,
        act: FromDishka[ActForCustomers],
        idempotency_key: RequiredKey,
    ) -> JsonAnswer[bytes]:
        user = user_id_of(user_id)
        return passed_on(await act.correct(calling(), user, encode(data), key=idempotency_key))


class OperatedOrdersController(Controller):
    path = of_orders.OPERATED

    @post(**of_orders.CANCEL_FOR_CUSTOMER)
    @inject
    async def cancel(
        self,
        order_id: of_orders.OrderIdInPath,
        data: of_orders.NotedBody,
        act: FromDishka[ActForCustomers],
    ) -> JsonAnswer[bytes]:
        return passed_on(await act.cancel(calling(), order_id, encode(data)))

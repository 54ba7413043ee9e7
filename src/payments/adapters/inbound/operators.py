"""Routes for operators, to freeze and correct accounts, and to read the stored facts about an order."""

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, get, post
from litestar.handlers import HTTPRouteHandler

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.idempotency import RequiredKey
from kernel.adapters.http.documents.operations import Operation
from kernel.adapters.http.operators.facts import facts_body
from kernel.adapters.http.parsing.values import user_id_of
from kernel.application.groups import Groups
from kernel.contracts.operators import FactsOfOrder
from kernel.ports.clock import Clock
from payments import wire
from payments.adapters.inbound.http import deposited_answer
from payments.application.explain_payment import ExplainPayment
from payments.contract import http, operations
from payments.domain.account import Account, Deposited
from payments.domain.commands import CorrectAccount, FreezeAccount

FreezeAccountsGroup = Groups[FreezeAccount, Account]
CorrectAccountsGroup = Groups[CorrectAccount, Deposited]


def _freezing(operation: Operation, *, frozen: bool) -> HTTPRouteHandler:
    @post(**operation)
    @inject
    async def freeze(
        self: Controller,
        user_id: operations.UserIdInPath,
        data: operations.NotedBody,
        freeze_accounts: FromDishka[FreezeAccountsGroup],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[http.Account]:
        user = user_id_of(user_id)
        command = wire.freeze(user, data.note, calling(), clock.new_id(), frozen=frozen)
        return JsonAnswer(wire.account_body(await freeze_accounts(command)))

    return freeze


class OperatedAccountsController(Controller):
    path = operations.OPERATED
    tags = ("Operators",)

    freeze = _freezing(operations.FREEZE_ACCOUNT, frozen=True)
    unfreeze = _freezing(operations.UNFREEZE_ACCOUNT, frozen=False)

    @post(**operations.CORRECT_ACCOUNT)
    @inject
    async def correct(
        self,
        user_id: operations.UserIdInPath,
        data: operations.CorrectionBody,
        correct_accounts: FromDishka[CorrectAccountsGroup],
        clock: FromDishka[Clock],
        idempotency_key: RequiredKey,
    ) -> JsonAnswer[http.Deposited]:
        user = user_id_of(user_id)
        command = wire.correct(user, data, calling(), idempotency_key, clock.new_id())
        return deposited_answer(await correct_accounts(command))


@get(**operations.EXPLAIN | {"path": operations.OPERATED_ORDERS + operations.EXPLAIN["path"]})
@inject
async def explain_payment(
    order_id: operations.OrderIdInPath,
    explain: FromDishka[ExplainPayment],
    user_id: operations.OwnerOfOrder = None,
) -> JsonAnswer[FactsOfOrder]:
    owner = None if user_id is None else user_id_of(user_id)
    return JsonAnswer(facts_body(await explain(calling(), order_id, user_id=owner)))

"""Accounts and deposits: each call is passed on once, and never repeated."""

from typing import Any

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, get, post

from gateway.adapters.inbound.answers import passed_on, trace_of
from gateway.ports.accounts import AccountsService
from gateway.wire import ACCOUNTS
from kernel.adapters.http import operations
from kernel.adapters.http.app import JsonAnswer
from kernel.adapters.http.values import amount_of, require_once, user_id_of
from kernel.contracts.http import Deposit
from kernel.contracts.values import encode


class AccountsController(Controller):
    path = ACCOUNTS
    tags = ("Accounts",)

    @post(**operations.OPEN_ACCOUNT)
    @inject
    async def open(
        self,
        request: Request[Any, Any, Any],
        data: operations.OpenAccountBody,
        accounts: FromDishka[AccountsService],
    ) -> JsonAnswer[bytes]:
        return passed_on(await accounts.open(encode(data), traceparent=trace_of(request)))

    @get("/{userId:str}", **operations.GET_ACCOUNT)
    @inject
    async def get_one(
        self,
        request: Request[Any, Any, Any],
        user_id: operations.UserIdInPath,
        accounts: FromDishka[AccountsService],
    ) -> JsonAnswer[bytes]:
        return passed_on(await accounts.get(user_id_of(user_id), traceparent=trace_of(request)))

    @post("/{userId:str}/deposit", **operations.DEPOSIT)
    @inject
    async def deposit(
        self,
        request: Request[Any, Any, Any],
        user_id: operations.UserIdInPath,
        data: operations.DepositBody,
        accounts: FromDishka[AccountsService],
    ) -> JsonAnswer[bytes]:
        user = user_id_of(user_id)
        return passed_on(await accounts.deposit(user, encode(data), traceparent=trace_of(request)))


@get(f"{ACCOUNTS}/{{userId:str}}/deposit", **operations.DEPOSIT_BY_GET)
@inject
async def deposit_by_get(
    request: Request[Any, Any, Any],
    user_id: operations.UserIdInPath,
    amount: operations.AmountInQuery,
    accounts: FromDishka[AccountsService],
) -> JsonAnswer[bytes]:
    """Passed on as a POST: HTTP clients repeat a GET by themselves when a connection breaks."""
    user = user_id_of(user_id)
    require_once(request, "amount")
    deposit = Deposit(amount_of(amount))
    return passed_on(await accounts.deposit(user, encode(deposit), traceparent=trace_of(request)))

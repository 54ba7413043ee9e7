"""Accounts and deposits: each call is passed on once, and never repeated."""

from typing import Annotated, Any

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body, PathParameter, QueryParameter

from gateway.adapters.inbound.answers import (
    BODY_PROBLEMS,
    READ_PROBLEMS,
    WRITE_PROBLEMS,
    passed_on,
    trace_of,
)
from gateway.domain.routes import ACCOUNTS
from gateway.ports.accounts import AccountsService
from kernel.adapters.http.app import JsonAnswer
from kernel.adapters.http.body import JsonBody
from kernel.adapters.http.legacy import Deprecated
from kernel.adapters.http.problem import problems
from kernel.adapters.http.values import amount_of, require_once, user_id_of
from kernel.contracts import examples, http
from kernel.contracts.values import encode

UserIdInPath = Annotated[str, PathParameter(name="userId", examples=[Example(value="alice")])]

_DEPOSIT_ANSWER = {
    200: ResponseSpec(
        http.Deposited,
        description="The balance right after this deposit",
        examples=[Example(value=examples.DEPOSITED)],
    )
}
_DEPOSIT_PROBLEMS = ((404, "account_not_found"), (422, "balance_limit"), *WRITE_PROBLEMS)


class AccountsController(Controller):
    path = ACCOUNTS
    tags = ("Accounts",)

    @post(
        dto=JsonBody,
        return_dto=None,
        operation_id="openAccount",
        summary="Open the user's account, one at most",
        responses={
            201: ResponseSpec(http.Account, description="Opened", examples=[Example(value=examples.ACCOUNT)])
        }
        | problems(*BODY_PROBLEMS, (409, "account_exists"), *WRITE_PROBLEMS),
    )
    @inject
    async def open(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[http.OpenAccount, Body(examples=[Example(value=examples.OPEN_ACCOUNT)])],
        accounts: FromDishka[AccountsService],
    ) -> JsonAnswer[bytes]:
        return passed_on(await accounts.open(encode(data), traceparent=trace_of(request)))

    @get(
        "/{userId:str}",
        operation_id="getAccount",
        summary="The user's account and its balance",
        responses={
            200: ResponseSpec(
                http.Account, description="The account", examples=[Example(value=examples.ACCOUNT)]
            )
        }
        | problems((400, "invalid_request"), (404, "account_not_found"), *READ_PROBLEMS),
    )
    @inject
    async def get_one(
        self, request: Request[Any, Any, Any], user_id: UserIdInPath, accounts: FromDishka[AccountsService]
    ) -> JsonAnswer[bytes]:
        return passed_on(await accounts.get(user_id_of(user_id), traceparent=trace_of(request)))

    @post(
        "/{userId:str}/deposit",
        dto=JsonBody,
        return_dto=None,
        status_code=200,
        operation_id="deposit",
        summary="Top the account up",
        responses=_DEPOSIT_ANSWER | problems(*BODY_PROBLEMS, *_DEPOSIT_PROBLEMS),
    )
    @inject
    async def deposit(
        self,
        request: Request[Any, Any, Any],
        user_id: UserIdInPath,
        data: Annotated[http.Deposit, Body(examples=[Example(value=examples.DEPOSIT)])],
        accounts: FromDishka[AccountsService],
    ) -> JsonAnswer[bytes]:
        user = user_id_of(user_id)
        return passed_on(await accounts.deposit(user, encode(data), traceparent=trace_of(request)))


@get(
    f"{ACCOUNTS}/{{userId:str}}/deposit",
    middleware=[Deprecated()],
    tags=["Accounts"],
    operation_id="depositByGet",
    summary="Top the account up (the seed's own route; use POST)",
    deprecated=True,
    responses=_DEPOSIT_ANSWER | problems((400, "invalid_request"), *_DEPOSIT_PROBLEMS),
)
@inject
async def deposit_by_get(
    request: Request[Any, Any, Any],
    user_id: UserIdInPath,
    amount: Annotated[
        str,
        QueryParameter(
            name="amount", description="As in the POST's body.", examples=[Example(value="100.00")]
        ),
    ],
    accounts: FromDishka[AccountsService],
) -> JsonAnswer[bytes]:
    """Passed on as a POST: HTTP clients repeat a GET by themselves when a connection breaks."""
    user = user_id_of(user_id)
    require_once(request, "amount")
    deposit = http.Deposit(amount_of(amount))
    return passed_on(await accounts.deposit(user, encode(deposit), traceparent=trace_of(request)))

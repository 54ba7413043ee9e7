"""The routes of the payments service."""

from typing import Annotated, Any
from urllib.parse import quote

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body, PathParameter, QueryParameter

from kernel.adapters.http.app import JsonAnswer
from kernel.adapters.http.body import BATCH_BYTES_MAX, JsonBody
from kernel.adapters.http.legacy import Deprecated
from kernel.adapters.http.problem import problems
from kernel.adapters.http.values import amount_of, require_once, user_id_of
from kernel.application.group_commit import GroupCommit
from kernel.contracts import examples, http
from kernel.domain.errors import NotFound
from kernel.ports.clock import Clock
from payments import wire
from payments.application.admit_orders import AdmitOrders
from payments.domain.account import Deposit, Deposited, OpenAccount, Opened
from payments.ports.accounts import OpenedAccounts

PATH = "/api/Accounts"

OpenAccounts = GroupCommit[OpenAccount, Opened]
MakeDeposits = GroupCommit[Deposit, Deposited]

UserIdInPath = Annotated[str, PathParameter(name="userId", examples=[Example(value="alice")])]

_BODY_PROBLEMS = ((400, "invalid_request"), (413, "body_too_large"), (415, "unsupported_media_type"))
_WRITE_PROBLEMS = ((503, "overloaded"), (503, "database_unavailable"), (504, "outcome_unknown"))
_DEPOSIT_PROBLEMS = ((404, "account_not_found"), (422, "balance_limit"), *_WRITE_PROBLEMS)
_DEPOSIT_ANSWER = {
    200: ResponseSpec(
        http.Deposited,
        description="The balance right after this deposit",
        examples=[Example(value=examples.DEPOSITED)],
    )
}


class AccountsController(Controller):
    path = PATH
    tags = ("Accounts",)

    @post(
        dto=JsonBody,
        return_dto=None,
        operation_id="openAccount",
        summary="Open the user's account, one at most",
        responses={
            201: ResponseSpec(http.Account, description="Opened", examples=[Example(value=examples.ACCOUNT)])
        }
        | problems(*_BODY_PROBLEMS, (409, "account_exists"), *_WRITE_PROBLEMS),
    )
    @inject
    async def open(
        self,
        data: Annotated[http.OpenAccount, Body(examples=[Example(value=examples.OPEN_ACCOUNT)])],
        open_accounts: FromDishka[OpenAccounts],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[http.Account]:
        opened = await open_accounts(
            OpenAccount(account_id=clock.new_id(), user_id=data.user_id, idempotency_key=None)
        )
        account = wire.account_body(opened.account)
        return JsonAnswer(account, headers={"Location": f"{PATH}/{quote(account.user_id, safe='')}"})

    @get(
        "/{userId:str}",
        operation_id="getAccount",
        summary="The user's account and its balance",
        responses={
            200: ResponseSpec(
                http.Account, description="The account", examples=[Example(value=examples.ACCOUNT)]
            )
        }
        | problems((400, "invalid_request"), (404, "account_not_found"), (503, "database_unavailable")),
    )
    @inject
    async def get_one(
        self, user_id: UserIdInPath, accounts: FromDishka[OpenedAccounts]
    ) -> JsonAnswer[http.Account]:
        user = user_id_of(user_id)
        account = (await accounts.find({user})).get(user)
        if account is None:
            raise NotFound("account_not_found", f"the user {user} has no account")
        return JsonAnswer(wire.account_body(account))

    @post(
        "/{userId:str}/deposit",
        dto=JsonBody,
        return_dto=None,
        status_code=200,
        operation_id="deposit",
        summary="Top the account up",
        responses=_DEPOSIT_ANSWER | problems(*_BODY_PROBLEMS, *_DEPOSIT_PROBLEMS),
    )
    @inject
    async def deposit(
        self,
        user_id: UserIdInPath,
        data: Annotated[http.Deposit, Body(examples=[Example(value=examples.DEPOSIT)])],
        make_deposits: FromDishka[MakeDeposits],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[http.Deposited]:
        deposited = await make_deposits(wire.deposit(user_id_of(user_id), data.amount, clock.new_id()))
        return JsonAnswer(wire.deposited_body(deposited))

    @post(
        "/admission",
        dto=JsonBody,
        return_dto=None,
        status_code=200,
        request_max_body_size=BATCH_BYTES_MAX,
        operation_id="admitOrders",
        summary="Whether orders could be paid now, each judged alone (for the orders service)",
        responses={
            200: ResponseSpec(
                list[str | None],
                description="A reason against each order, or null",
                examples=[Example(value=[None, "insufficient_funds"])],
            )
        }
        | problems(*_BODY_PROBLEMS, (503, "database_unavailable")),
    )
    @inject
    async def admit(
        self,
        data: Annotated[list[http.AdmissionRequest], Body(examples=[Example(value=[examples.ADMISSION])])],
        admit_orders: FromDishka[AdmitOrders],
    ) -> JsonAnswer[list[str | None]]:
        return JsonAnswer(await admit_orders([(item.user_id, item.amount.minor) for item in data]))


@get(
    f"{PATH}/{{userId:str}}/deposit",
    tags=["Accounts"],
    operation_id="depositByGet",
    summary="Top the account up (the seed's own route; use POST)",
    deprecated=True,
    middleware=[Deprecated()],
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
    make_deposits: FromDishka[MakeDeposits],
    clock: FromDishka[Clock],
) -> JsonAnswer[http.Deposited]:
    require_once(request, "amount")
    deposited = await make_deposits(wire.deposit(user_id_of(user_id), amount_of(amount), clock.new_id()))
    return JsonAnswer(wire.deposited_body(deposited))

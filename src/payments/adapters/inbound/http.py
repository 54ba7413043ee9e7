"""The routes of the payments service."""

from typing import Any
from urllib.parse import quote

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, get, post

from kernel.adapters.http import operations
from kernel.adapters.http.app import JsonAnswer
from kernel.adapters.http.values import amount_of, require_once, user_id_of
from kernel.application.group_commit import GroupCommit
from kernel.contracts import http
from kernel.domain.errors import NotFound
from kernel.ports.clock import Clock
from payments import wire
from payments.application.admit_orders import AdmitOrders
from payments.domain.account import Deposit, Deposited, OpenAccount, Opened
from payments.ports.accounts import OpenedAccounts

PATH = "/api/Accounts"

OpenAccounts = GroupCommit[OpenAccount, Opened]
MakeDeposits = GroupCommit[Deposit, Deposited]


class AccountsController(Controller):
    path = PATH
    tags = ("Accounts",)

    @post(**operations.OPEN_ACCOUNT)
    @inject
    async def open(
        self,
        data: operations.OpenAccountBody,
        open_accounts: FromDishka[OpenAccounts],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[http.Account]:
        opened = await open_accounts(
            OpenAccount(account_id=clock.new_id(), user_id=data.user_id, idempotency_key=None)
        )
        account = wire.account_body(opened.account)
        return JsonAnswer(account, headers={"Location": f"{PATH}/{quote(account.user_id, safe='')}"})

    @get("/{userId:str}", **operations.GET_ACCOUNT)
    @inject
    async def get_one(
        self, user_id: operations.UserIdInPath, accounts: FromDishka[OpenedAccounts]
    ) -> JsonAnswer[http.Account]:
        user = user_id_of(user_id)
        account = (await accounts.find({user})).get(user)
        if account is None:
            raise NotFound("account_not_found", f"the user {user} has no account")
        return JsonAnswer(wire.account_body(account))

    @post("/{userId:str}/deposit", **operations.DEPOSIT)
    @inject
    async def deposit(
        self,
        user_id: operations.UserIdInPath,
        data: operations.DepositBody,
        make_deposits: FromDishka[MakeDeposits],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[http.Deposited]:
        deposited = await make_deposits(wire.deposit(user_id_of(user_id), data.amount, clock.new_id()))
        return JsonAnswer(wire.deposited_body(deposited))


@get(f"{PATH}/{{userId:str}}/deposit", **operations.DEPOSIT_BY_GET)
@inject
async def deposit_by_get(
    request: Request[Any, Any, Any],
    user_id: operations.UserIdInPath,
    amount: operations.AmountInQuery,
    make_deposits: FromDishka[MakeDeposits],
    clock: FromDishka[Clock],
) -> JsonAnswer[http.Deposited]:
    require_once(request, "amount")
    deposited = await make_deposits(wire.deposit(user_id_of(user_id), amount_of(amount), clock.new_id()))
    return JsonAnswer(wire.deposited_body(deposited))


@post("/api/Admission", **operations.ADMIT_ORDERS)
@inject
async def admit_orders(
    data: operations.AdmissionBody, admit: FromDishka[AdmitOrders]
) -> JsonAnswer[list[str | None]]:
    return JsonAnswer(await admit([(item.user_id, item.amount.minor) for item in data]))

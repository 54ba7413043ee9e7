"""The routes of the payments service."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, get, post

from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.idempotency import IdempotencyKey, replay_headers
from kernel.adapters.http.conventions.paging import PAGE_SIZE, AfterSequence, PageLimit, next_page
from kernel.adapters.http.middleware.fast_path import Call, FastPath
from kernel.adapters.http.parsing.body import BATCH_BYTES_MAX, decode_body
from kernel.adapters.http.parsing.values import amount_of, instant_of, user_id_of
from kernel.application.groups import Groups
from kernel.contracts.values import encode
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer
from payments import wire
from payments.application.admit_orders import AdmitOrders
from payments.application.read_accounts import ReadAccounts
from payments.contract import for_orders, http, operations
from payments.domain.account import Deposited, Opened
from payments.domain.commands import Deposit, OpenAccount

OpenAccountsGroup = Groups[OpenAccount, Opened]
MakeDepositsGroup = Groups[Deposit, Deposited]


class AccountsController(Controller):
    path = operations.ROUTE
    tags = ("Accounts",)

    @post(**operations.OPEN_ACCOUNT)
    @inject
    async def open(
        self,
        data: operations.OpenAccountBody,
        open_accounts: FromDishka[OpenAccountsGroup],
        clock: FromDishka[Clock],
        idempotency_key: IdempotencyKey = None,
    ) -> JsonAnswer[http.Account]:
        opened = await open_accounts(wire.open_account(data, calling(), idempotency_key, clock.new_id()))
        location = {"Location": _route(opened.account.user_id)}
        return JsonAnswer(
            wire.account_body(opened.account), headers=location | replay_headers(replayed=opened.replayed)
        )

    @get(**operations.GET_ACCOUNT)
    @inject
    async def get_one(
        self,
        user_id: operations.UserIdInPath,
        read_accounts: FromDishka[ReadAccounts],
        at: operations.AtInQuery = None,
    ) -> JsonAnswer[http.Account]:
        caller, user = calling(), user_id_of(user_id)
        if at is None:
            account = await read_accounts.get(caller, user)
        else:
            account = await read_accounts.get_at(caller, user, instant_of(at, "at"))
        return JsonAnswer(wire.account_body(account))

    @get(**operations.LIST_TRANSACTIONS)
    @inject
    async def transactions(
        self,
        user_id: operations.UserIdInPath,
        read_accounts: FromDishka[ReadAccounts],
        after: AfterSequence = None,
        limit: PageLimit = PAGE_SIZE,
    ) -> JsonAnswer[list[http.Transaction]]:
        user = user_id_of(user_id)
        caller = calling()
        transfers = await read_accounts.transactions(caller, user, after=after, limit=limit + 1)
        last = str(transfers[limit - 1].sequence) if len(transfers) > limit else None
        link = next_page(f"{_route(user)}/transactions", {"limit": str(limit)}, after=last)
        return JsonAnswer([wire.transaction_body(transfer) for transfer in transfers[:limit]], headers=link)

    @post(**operations.DEPOSIT)
    @inject
    async def deposit(
        self,
        user_id: operations.UserIdInPath,
        data: operations.DepositBody,
        make_deposits: FromDishka[MakeDepositsGroup],
        clock: FromDishka[Clock],
        idempotency_key: IdempotencyKey = None,
    ) -> JsonAnswer[http.Deposited]:
        user, caller = user_id_of(user_id), calling()
        deposit = wire.deposit(user, data.amount, caller, idempotency_key, clock.new_id())
        return deposited_answer(await make_deposits(deposit))


@get(**operations.DEPOSIT_BY_GET | {"path": operations.ROUTE + operations.DEPOSIT["path"]})
@inject
async def deposit_by_get(
    user_id: operations.UserIdInPath,
    amount: operations.AmountInQuery,
    make_deposits: FromDishka[MakeDepositsGroup],
    clock: FromDishka[Clock],
    idempotency_key: IdempotencyKey = None,
) -> JsonAnswer[http.Deposited]:
    user, caller = user_id_of(user_id), calling()
    deposit = wire.deposit(user, amount_of(amount), caller, idempotency_key, clock.new_id())
    return deposited_answer(await make_deposits(deposit))


@post(**for_orders.ADMIT_ORDERS)
@inject
async def admit_orders(data: for_orders.AdmissionBody, admit: FromDishka[AdmitOrders]) -> JsonAnswer[bytes]:
    return passed_on(await _admitted(data, admit))


def fast_paths(admit: AdmitOrders) -> Mapping[str, FastPath]:
    async def answer(call: Call) -> HttpAnswer:
        return await _admitted(decode_body(call.body, list[http.AdmissionRequest]), admit)

    return {for_orders.ADMIT_ORDERS["path"]: FastPath(answer, body_bytes_max=BATCH_BYTES_MAX)}


async def _admitted(orders: Sequence[http.AdmissionRequest], admit: AdmitOrders) -> HttpAnswer:
    reasons = await admit(calling(), [(order.user_id, order.amount.minor) for order in orders])
    return HttpAnswer(200, "application/json", {}, encode(reasons))


def _route(user_id: str) -> str:
    return f"{operations.ROUTE}/{quote(user_id, safe='')}"


def deposited_answer(deposited: Deposited) -> JsonAnswer[http.Deposited]:
    return JsonAnswer(wire.deposited_body(deposited), headers=replay_headers(replayed=deposited.replayed))

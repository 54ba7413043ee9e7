"""The routes of the payments service."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, get, post

from kernel.adapters.http import operations
from kernel.adapters.http.app import JsonAnswer, passed_on
from kernel.adapters.http.body import BATCH_BYTES_MAX, decode_body
from kernel.adapters.http.idempotency import IdempotencyKey, replay_headers
from kernel.adapters.http.paging import PAGE_SIZE, AfterSequence, PageLimit, next_page
from kernel.adapters.http.short_way import Call, ShortWay
from kernel.adapters.http.values import amount_of, user_id_of
from kernel.application.group_commit import GroupCommit
from kernel.contracts import http
from kernel.contracts.values import encode
from kernel.domain.errors import NotFound
from kernel.ports.answer import Answer
from kernel.ports.clock import Clock
from payments import wire
from payments.application.admit_orders import AdmitOrders
from payments.domain.account import Deposit, Deposited, OpenAccount, Opened
from payments.ports.accounts import OpenedAccounts, Statements

PATH = "/api/Accounts"
ADMISSION = "/api/Admission"

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
        idempotency_key: IdempotencyKey = None,
    ) -> JsonAnswer[http.Account]:
        opened = await open_accounts(
            OpenAccount(account_id=clock.new_id(), user_id=data.user_id, idempotency_key=idempotency_key)
        )
        location = {"Location": _route(opened.account.user_id)}
        return JsonAnswer(
            wire.account_body(opened.account), headers=location | replay_headers(replayed=opened.replayed)
        )

    @get("/{userId:str}", **operations.GET_ACCOUNT)
    @inject
    async def get_one(
        self, user_id: operations.UserIdInPath, accounts: FromDishka[OpenedAccounts]
    ) -> JsonAnswer[http.Account]:
        user = user_id_of(user_id)
        account = (await accounts.find({user})).get(user)
        if account is None:
            raise _no_account(user)
        return JsonAnswer(wire.account_body(account))

    @get("/{userId:str}/transactions", **operations.LIST_TRANSACTIONS)
    @inject
    async def transactions(
        self,
        user_id: operations.UserIdInPath,
        statements: FromDishka[Statements],
        accounts: FromDishka[OpenedAccounts],
        after: AfterSequence = None,
        limit: PageLimit = PAGE_SIZE,
    ) -> JsonAnswer[list[http.Transaction]]:
        user = user_id_of(user_id)
        transfers = await statements.page(user, after=after, limit=limit + 1)
        if not transfers and user not in await accounts.find({user}):
            raise _no_account(user)
        last = str(transfers[limit - 1].sequence) if len(transfers) > limit else None
        link = next_page(f"{_route(user)}/transactions", {"limit": str(limit)}, after=last)
        return JsonAnswer([wire.transaction_body(transfer) for transfer in transfers[:limit]], headers=link)

    @post("/{userId:str}/deposit", **operations.DEPOSIT)
    @inject
    async def deposit(
        self,
        user_id: operations.UserIdInPath,
        data: operations.DepositBody,
        make_deposits: FromDishka[MakeDeposits],
        clock: FromDishka[Clock],
        idempotency_key: IdempotencyKey = None,
    ) -> JsonAnswer[http.Deposited]:
        user = user_id_of(user_id)
        return _deposited(
            await make_deposits(wire.deposit(user, data.amount, idempotency_key, clock.new_id()))
        )


@get(f"{PATH}/{{userId:str}}/deposit", **operations.DEPOSIT_BY_GET)
@inject
async def deposit_by_get(
    user_id: operations.UserIdInPath,
    amount: operations.AmountInQuery,
    make_deposits: FromDishka[MakeDeposits],
    clock: FromDishka[Clock],
    idempotency_key: IdempotencyKey = None,
) -> JsonAnswer[http.Deposited]:
    deposit = wire.deposit(user_id_of(user_id), amount_of(amount), idempotency_key, clock.new_id())
    return _deposited(await make_deposits(deposit))


@post(ADMISSION, **operations.ADMIT_ORDERS)
@inject
async def admit_orders(data: operations.AdmissionBody, admit: FromDishka[AdmitOrders]) -> JsonAnswer[bytes]:
    return passed_on(await _admitted(data, admit))


def short_ways(admit: AdmitOrders) -> Mapping[str, ShortWay]:
    async def answer(call: Call) -> Answer:
        return await _admitted(decode_body(call.body, list[http.AdmissionRequest]), admit)

    return {ADMISSION: ShortWay(answer, body_bytes_max=BATCH_BYTES_MAX)}


async def _admitted(orders: Sequence[http.AdmissionRequest], admit: AdmitOrders) -> Answer:
    reasons = await admit([(order.user_id, order.amount.minor) for order in orders])
    return Answer(200, "application/json", {}, encode(reasons))


def _route(user_id: str) -> str:
    return f"{PATH}/{quote(user_id, safe='')}"


def _no_account(user_id: str) -> NotFound:
    return NotFound("account_not_found", f"the user {user_id} has no account")


def _deposited(deposited: Deposited) -> JsonAnswer[http.Deposited]:
    return JsonAnswer(wire.deposited_body(deposited), headers=replay_headers(replayed=deposited.replayed))

"""The routes of accounts and deposits. Each call is passed on to the payments service."""

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, get, post

from gateway.application.change_accounts import ChangeAccounts
from gateway.ports.accounts import AccountsService
from gateway.wire import ACCOUNTS
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.idempotency import IdempotencyKey
from kernel.adapters.http.conventions.paging import PAGE_SIZE, AfterSequence, PageLimit
from kernel.adapters.http.parsing.values import amount_of, instant_of, user_id_of
from kernel.contracts.values import encode
from payments.contract import operations
from payments.contract.http import Deposit


class AccountsController(Controller):
    path = ACCOUNTS
    tags = ("Accounts",)

    @post(**operations.OPEN_ACCOUNT)
    @inject
    async def open(
        self,
        data: operations.OpenAccountBody,
        change_accounts: FromDishka[ChangeAccounts],
        idempotency_key: IdempotencyKey = None,
    ) -> JsonAnswer[bytes]:
        return passed_on(await change_accounts.open(encode(data), key=idempotency_key))

    @get(**operations.GET_ACCOUNT)
    @inject
    async def get_one(
        self,
        user_id: operations.UserIdInPath,
        accounts: FromDishka[AccountsService],
        at: operations.AtInQuery = None,
    ) -> JsonAnswer[bytes]:
        instant = None if at is None else instant_of(at, "at")
        return passed_on(await accounts.get(user_id_of(user_id), at=instant))

    @get(**operations.LIST_TRANSACTIONS)
    @inject
    async def transactions(
        self,
        user_id: operations.UserIdInPath,
        accounts: FromDishka[AccountsService],
        after: AfterSequence = None,
        limit: PageLimit = PAGE_SIZE,
    ) -> JsonAnswer[bytes]:
        return passed_on(await accounts.transactions(user_id_of(user_id), after=after, limit=limit))

    @post(**operations.DEPOSIT)
    @inject
    async def deposit(
        self,
        user_id: operations.UserIdInPath,
        data: operations.DepositBody,
        change_accounts: FromDishka[ChangeAccounts],
        idempotency_key: IdempotencyKey = None,
    ) -> JsonAnswer[bytes]:
        user = user_id_of(user_id)
        return passed_on(await change_accounts.deposit(user, encode(data), key=idempotency_key))


@get(**operations.DEPOSIT_BY_GET | {"path": ACCOUNTS + operations.DEPOSIT["path"]})
@inject
async def deposit_by_get(
    user_id: operations.UserIdInPath,
    amount: operations.AmountInQuery,
    change_accounts: FromDishka[ChangeAccounts],
    idempotency_key: IdempotencyKey = None,
) -> JsonAnswer[bytes]:
    """Passes the deposit on as a POST, because HTTP clients repeat a GET when its connection breaks."""
    user, deposit = user_id_of(user_id), encode(Deposit(amount_of(amount)))
    return passed_on(await change_accounts.deposit(user, deposit, key=idempotency_key))

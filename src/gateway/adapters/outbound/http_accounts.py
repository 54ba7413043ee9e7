from datetime import datetime

import aiohttp

from gateway.adapters.outbound.http_service import HttpService
from kernel.adapters.http.documents.operations import path_of
from kernel.ports.http_answer import HttpAnswer
from payments.contract import operations


class HttpAccounts:
    def __init__(self, session: aiohttp.ClientSession, payments_url: str) -> None:
        self._service = HttpService(session, payments_url + operations.ROUTE, "payments")

    async def open(self, account: bytes, *, key: str | None) -> HttpAnswer:
        return await self._service.write("", body=account, key=key)

    async def deposit(self, user_id: str, deposit: bytes, *, key: str | None) -> HttpAnswer:
        return await self._service.write(path_of(operations.DEPOSIT, user_id), body=deposit, key=key)

    async def get(self, user_id: str, *, at: datetime | None) -> HttpAnswer:
        query = {"at": None if at is None else at.isoformat()}
        return await self._service.read(path_of(operations.GET_ACCOUNT, user_id), query=query)

    async def transactions(self, user_id: str, *, after: int | None, limit: int) -> HttpAnswer:
        query = {"after": after, "limit": limit}
        return await self._service.read(path_of(operations.LIST_TRANSACTIONS, user_id), query=query)

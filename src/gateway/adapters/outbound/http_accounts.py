import aiohttp

from gateway.adapters.outbound.http_service import HttpService
from kernel.ports.http_answer import HttpAnswer

ROUTE = ("api", "Accounts")


class HttpAccounts:
    def __init__(self, session: aiohttp.ClientSession, payments_url: str) -> None:
        self._service = HttpService(session, payments_url, "payments")

    async def open(self, account: bytes, *, key: str | None, traceparent: str) -> HttpAnswer:
        return await self._service.write(*ROUTE, body=account, key=key, traceparent=traceparent)

    async def deposit(self, user_id: str, deposit: bytes, *, key: str | None, traceparent: str) -> HttpAnswer:
        return await self._service.write(
            *ROUTE, user_id, "deposit", body=deposit, key=key, traceparent=traceparent
        )

    async def get(self, user_id: str, *, traceparent: str) -> HttpAnswer:
        return await self._service.read(*ROUTE, user_id, traceparent=traceparent)

    async def transactions(
        self, user_id: str, *, after: int | None, limit: int, traceparent: str
    ) -> HttpAnswer:
        query = {"after": after, "limit": limit}
        return await self._service.read(*ROUTE, user_id, "transactions", query=query, traceparent=traceparent)

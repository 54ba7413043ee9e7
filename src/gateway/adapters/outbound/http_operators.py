from collections.abc import Mapping, Sequence
from uuid import UUID

import aiohttp

from gateway import wire
from gateway.adapters.outbound.http_service import AsService, HttpService
from gateway.ports.operators import Listed, What
from kernel.adapters.http.documents.operations import path_of
from kernel.adapters.http.operators import facts, overview, record
from kernel.adapters.http.operators.consumer_operations import LIST_CONSUMERS
from kernel.adapters.http.operators.parked_operations import LIST_GROUPS, LIST_PARKED
from kernel.contracts.operators import FactsOfOrder
from kernel.contracts.values import decoder
from kernel.domain.acts import Act, Place
from kernel.domain.caller import Caller
from kernel.domain.errors import Unavailable
from kernel.domain.facts import Part
from kernel.domain.pauses import ConsumerState
from kernel.ports.http_answer import HttpAnswer
from orders.contract import operations as of_orders
from payments.contract import operations as of_payments


class HttpOperatedService:
    def __init__(self, session: aiohttp.ClientSession, url: str, name: str, as_service: AsService) -> None:
        self._service = HttpService(session, f"{url}/ops", name)
        self._name = name
        self._as_service = as_service

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        query = {"userId": user_id if self._name == "payments" else None}
        path = of_payments.OPERATED_ORDERS + path_of(of_payments.EXPLAIN, order_id)
        return facts.part_of(decoder(FactsOfOrder).decode((await self._read(caller, path, query)).body))

    async def acts(self, caller: Caller, *, after: Place | None, limit: int) -> Sequence[Act]:
        query = {"after": record.cursor(after) if after else None, "limit": limit}
        return wire.acts((await self._read(caller, record.PATH, query)).body)

    async def overview(self, caller: Caller) -> bytes:
        return (await self._read(caller, overview.PATH, {})).body

    async def parked(
        self, caller: Caller, what: What, *, group: UUID | None = None, after: UUID | None, limit: int
    ) -> Sequence[Listed]:
        query = {"group": group, "after": after, "limit": limit}
        path = {"messages": LIST_PARKED["path"], "groups": LIST_GROUPS["path"]}[what]
        answer = await self._ask(caller, path, query)
        if answer.status == 404:
            return []
        return wire.listed(self._told(answer).body)

    async def consumers(self, caller: Caller) -> Sequence[ConsumerState]:
        return wire.consumers((await self._read(caller, LIST_CONSUMERS["path"], {})).body)

    async def read(self, caller: Caller, path: str) -> HttpAnswer:
        return await self._ask(caller, path, {})

    async def act(self, caller: Caller, path: str, body: bytes, *, key: str | None = None) -> HttpAnswer:
        return await self._service.write(path, body=body, key=key, authorized=self._as_service(caller))

    async def _read(self, caller: Caller, path: str, query: Mapping[str, object]) -> HttpAnswer:
        return self._told(await self._ask(caller, path, query))

    async def _ask(self, caller: Caller, path: str, query: Mapping[str, object]) -> HttpAnswer:
        return await self._service.read(path, query=query, authorized=self._as_service(caller))

    def _told(self, answer: HttpAnswer) -> HttpAnswer:
        """Returns the answer. Raises Unavailable if its status is not 200."""
        if answer.status != 200:
            said = f"{answer.status}{wire.words_of(answer.body)}"
            raise Unavailable(f"the {self._name} service cannot be read now: it answers {said}")
        return answer


class HttpOperatedOrders(HttpOperatedService):
    async def series(self, caller: Caller) -> bytes:
        return (await self._read(caller, of_orders.READ_SERIES["path"], {})).body

    async def audit(self, caller: Caller) -> bytes:
        return (await self._read(caller, of_orders.READ_AUDIT["path"], {})).body

    async def begin_audit(self, caller: Caller) -> HttpAnswer:
        return await self.act(caller, of_orders.BEGIN_AUDIT["path"], b"")

"""What payments says of each order, over HTTP."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import aiohttp
import msgspec

from kernel.adapters.http.documents.operations import Operation
from kernel.contracts.operators import CheckResult, checked_of
from kernel.contracts.values import UserId, decoder, encode
from kernel.domain.errors import Unavailable
from kernel.domain.faults import Checked
from orders.domain.claims import Claim, KnownPayments
from orders.domain.verdict import Key, Paid
from payments.contract import http
from payments.contract.operations import LIST_CLAIMS, READ_CLAIMS, RUN_CHECKS

READ_WITHIN_S = 10.0
# All transfers are read.
CHECK_WITHIN_S = 3600.0
CONNECT_WITHIN_S = 2.0

T = TypeVar("T")


class HttpPaymentClaims:
    """`as_service` gives the headers that say which service asks."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        payments_url: str,
        as_service: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._session = session
        self._url = f"{payments_url}/ops"
        self._as_service = as_service

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        places = {"after": after, "until": until}
        query = {name: f"{key[0]}~{key[1]}" for name, key in places.items() if key is not None}
        url = {**query, "limit": str(count_max)}
        claims = await self._ask("GET", LIST_CLAIMS, list[http.Claim], query=url)
        return [Claim(one.user_id, one.order_id, one.claim) for one in claims]

    async def known(self, keys: Sequence[Key]) -> KnownPayments:
        body = encode([http.OrderKey(UserId(user_id), order_id) for user_id, order_id in keys])
        known = await self._ask("POST", READ_CLAIMS, list[http.KnownPayment], body=body)
        payments = {(one.user_id, one.order_id): paid_of(one) for one in known if one.known}
        return KnownPayments(payments, {str(one.order_id) for one in known if one.waiting})

    async def checked(self) -> Sequence[Checked]:
        results = await self._ask("GET", RUN_CHECKS, list[CheckResult], within_s=CHECK_WITHIN_S)
        return [checked_of(one) for one in results]

    async def _ask(
        self,
        method: str,
        operation: Operation,
        kind: type[T],
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        within_s: float = READ_WITHIN_S,
    ) -> T:
        headers = dict(self._as_service())
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                method,
                self._url + operation["path"],
                params=query,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=within_s, connect=CONNECT_WITHIN_S),
                raise_for_status=True,
            ) as response:
                return decoder(kind).decode(await response.read())
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unavailable("the payments service does not tell what it knows") from error


def paid_of(one: http.KnownPayment) -> Paid:
    return Paid(
        decision=one.decision,
        reason=one.reason,
        created_at=one.created_at,
        amount=one.amount,
        currency=one.currency,
        refunded_at=one.refunded_at,
    )

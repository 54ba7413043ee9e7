"""Reads the claims of payments, and the results of its checks, over HTTP."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import aiohttp
import msgspec

from kernel.adapters.http.documents.operations import Operation
from kernel.contracts.operators import CheckResult, checked_of
from kernel.contracts.values import UserId, decoder, encode, same_fields
from kernel.domain.errors import Unavailable
from kernel.domain.faults import Checked
from orders.adapters.outbound.answers import only_ok
from orders.domain.claims import Claim, KnownPayments
from orders.domain.verdict import Key, Paid
from payments.contract import http
from payments.contract.for_orders import LIST_CLAIMS, READ_CLAIMS, RUN_CHECKS

READ_WITHIN_S = 10.0
# Payments reads all transfers and reports no progress, so only this limit ends a check that hangs.
CHECK_WITHIN_S = 3600.0
CONNECT_WITHIN_S = 2.0

NOT_TOLD = "the payments service does not answer the audit"

T = TypeVar("T")


class HttpPaymentClaims:
    """`as_service` returns the headers that authenticate this service. An answer that does not fit the
    question counts as no answer. Otherwise it could look like faults, or make the audit endless."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        payments_url: str,
        as_service: Callable[[], Mapping[str, str]] = dict,
        read_within_s: float = READ_WITHIN_S,
    ) -> None:
        self._session = session
        self._url = f"{payments_url}/ops"
        self._as_service = as_service
        self._read_within_s = read_within_s

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        places = {"after": after, "until": until}
        query = {name: f"{key[0]}~{key[1]}" for name, key in places.items() if key is not None}
        url = {**query, "limit": str(count_max)}
        told = await self._ask("GET", LIST_CLAIMS, list[http.Claim], query=url)
        claims = [Claim(one.user_id, one.order_id, one.claim) for one in told]
        keys = [*([after] if after else []), *(claim.key for claim in claims)]
        in_order = all(key < following for key, following in pairwise(keys))
        if not in_order or len(claims) > count_max or (until and keys and keys[-1] > until):
            raise Unavailable(NOT_TOLD)
        return claims

    async def known(self, keys: Sequence[Key]) -> KnownPayments:
        body = encode([http.OrderKey(UserId(user_id), order_id) for user_id, order_id in keys])
        known = await self._ask("POST", READ_CLAIMS, list[http.KnownPayment], body=body)
        if sorted((one.user_id, one.order_id) for one in known) != sorted(keys):
            raise Unavailable(NOT_TOLD)
        payments = {(one.user_id, one.order_id): same_fields(one, Paid) for one in known if one.known}
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
        within_s: float | None = None,
    ) -> T:
        headers = dict(self._as_service())
        if body is not None:
            headers["Content-Type"] = "application/json"
        timeout = aiohttp.ClientTimeout(total=within_s or self._read_within_s, connect=CONNECT_WITHIN_S)
        try:
            async with self._session.request(
                method,
                self._url + operation["path"],
                params=query,
                data=body,
                headers=headers,
                timeout=timeout,
                raise_for_status=only_ok,
                allow_redirects=False,
            ) as response:
                return decoder(kind).decode(await response.read())
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unavailable(NOT_TOLD) from error

"""Calls that the gateway passes on."""

from tests.spec.scenario import Answer, Headers
from tests.unit.gateway.conftest import Gateway

ORDER_ID = "0198c1a2-7b3c-7d4e-8f50-617283940516"
ODDLY_WRITTEN = b'{ "balance":\t10.10, "\\u0061": 1e2, "new": null }\n'


async def deposit_by_post(shop: Gateway, headers: Headers = ()) -> Answer:
    return await shop.http.post(f"{shop.url}/accounts/alice/deposit", {"amount": 1}, headers)


async def deposit_by_get(shop: Gateway, headers: Headers = ()) -> Answer:
    return await shop.http.get(f"{shop.url}/accounts/alice/deposit?amount=1", headers)

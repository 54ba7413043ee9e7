"""What the settings allow is what a gateway allows."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from kernel.contracts.values import encode
from kernel.domain.caller import Role
from orders.contract import examples
from tests.servers.keys import Keys
from tests.spec.scenario import expect_problem
from tests.unit.gateway.conftest import Gateway, a_gateway
from tests.unit.gateway.stub import Stub, answering

ORDER, USER = examples.ORDER["id"], examples.ORDER["userId"]
NEW = encode([[{"sequence": 1, "order": examples.ORDER}]])


async def streams(gateway: Gateway, *headers: dict[str, str]) -> list[int]:
    """The status of each stream of an order; all are open at the same time."""
    async with AsyncExitStack() as open_streams:
        answers = [
            await open_streams.enter_async_context(
                gateway.session.get(f"{gateway.url}/orders/{ORDER}/events", headers=one)
            )
            for one in headers
        ]
        return [answer.status for answer in answers]


@pytest.mark.parametrize(
    ("setting", "by_address"), [("shop_streams_per_user", False), ("shop_streams_per_address", True)]
)
async def test_a_user_and_an_address_have_as_many_streams_as_is_set(
    tmp_path: Path, setting: str, by_address: bool
) -> None:
    orders, keys = Stub(), Keys(tmp_path)
    orders.reply = answering(NEW)
    await orders.start()
    told = {name.lower(): text for name, text in keys.settings.items()}
    user, operator = dict(keys.headers(USER)), dict(keys.headers("olga", Role.OPERATOR))
    async with a_gateway(orders, Stub(), **told, **{setting: 2}) as gateway:
        statuses = await streams(gateway, user, user, user, operator)
    assert statuses == [200, 200, 429, 429 if by_address else 200]
    await orders.stop()


async def test_in_open_mode_an_address_may_call_as_often_as_is_set_on_fast_paths_too() -> None:
    async with a_gateway(Stub(), Stub(), shop_rate_limit="3/hour") as gateway:
        answers = [await gateway.http.get(f"{gateway.url}/schema/openapi.json")]
        answers += [await gateway.http.post(f"{gateway.url}/orders", {"amount": 1}) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 400, 400, 429]
        expect_problem(answers[-1], 429, code="rate_limited")
        assert (await gateway.http.get(f"{gateway.url}/health/ready")).status == 200


async def test_a_page_of_another_site_may_read_how_often_it_may_call() -> None:
    told = {"shop_rate_limit": "1/hour", "shop_cors_origins": "https://shop.example"}
    async with a_gateway(Stub(), Stub(), **told) as gateway:
        headers = [("Origin", "https://shop.example")]
        for _ in range(2):
            refused = await gateway.http.get(f"{gateway.url}/orders", headers)
        assert refused.status == 429
        exposed = refused.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(exposed)

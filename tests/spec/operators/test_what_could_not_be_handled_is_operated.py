"""What no service could handle is found, held, replayed and discarded at the gateway's /ops."""

import json
from typing import Any
from uuid import uuid4

from prometheus_client.parser import text_string_to_metric_families
from uuid_utils.compat import uuid7

from orders.contract.messages import ORDER_PLACED
from tests.servers.process import eventually
from tests.servers.shop import Shop, ThreeServices
from tests.spec.promises.test_unhandled_messages_are_parked import (
    add_order,
    database,
    new_order_id,
    operated,
    placed_event,
)
from tests.spec.scenario import Answer, Http, expect, expect_problem, next_page
from tests.spec.store import Store


async def sent_to_payments(shop: Shop, event: bytes) -> None:
    """Sends payments one message that holds this and nothing else."""
    with operated(shop) as settings:
        async with database(settings, "orders") as orders:
            await orders.execute("INSERT INTO outbox VALUES ($1, $2, $3)", ORDER_PLACED, uuid7(), event)


class Operator:
    def __init__(self, http: Http, shop: Shop) -> None:
        self._http = http
        self._ops = f"{shop.gateway}/ops"
        self._payments = shop.payments

    async def get(self, path: str) -> Answer:
        return await self._http.get(f"{self._ops}{path}")

    async def post(self, path: str, body: Any = None) -> Answer:
        return await self._http.post(f"{self._ops}{path}", body)

    async def pages(self, path: str, name: str) -> list[Any]:
        found: list[Any] = []
        url: str | None = f"{self._ops}{path}"
        while url is not None:
            page = await self._http.get(url)
            body = expect(200, page)
            assert body["unknown"] == []
            found += body[name]
            url = next_page(page)
        ids = [one["id"] for one in found]
        assert ids == sorted(set(ids))
        return found

    async def message(self, text: str) -> Any | None:
        """The one that this text is in."""
        messages = await self.pages("/parked?limit=2", "messages")
        return next((one for one in messages if text in one["payload"]), None)

    async def done(self, begun: Answer) -> Any:
        operation = expect(202, begun)
        assert begun.location == f"{self._ops}/operations/{operation['id']}"

        async def over() -> Any:
            now = expect(200, await self._http.get(begun.location))
            return now if now["state"] == "done" else None

        return await eventually(over)

    async def recorded(self, did: str, about: str) -> list[Any]:
        acts = await self.pages_of_record()
        return [act for act in acts if act["did"] == did and about in act.get("about", "")]

    async def pages_of_record(self) -> list[Any]:
        return list(expect(200, await self.get("/record?limit=400"))["acts"])

    async def figures(self, reason: str) -> tuple[float, float]:
        """How many messages payments has parked for this reason and nobody holds, and how many are held."""
        told = (await self._http.get(f"{self._payments}/metrics")).body.decode()
        samples = [one for family in text_string_to_metric_families(told) for one in family.samples]

        def figure(name: str) -> float:
            return sum(one.value for one in samples if one.name == name and one.labels["reason"] == reason)

        return figure("shop_parked_messages"), figure("shop_held_messages")


async def test_an_unreadable_message_is_listed_grouped_held_replayed_and_discarded(
    shop: Shop, http: Http
) -> None:
    operator, text = Operator(http, shop), f"garbage {uuid4()}"
    await sent_to_payments(shop, text.encode())
    found = await eventually(lambda: operator.message(text))
    assert (found["service"], found["place"], found["reason"]) == ("payments", "dead letters", "unreadable")
    assert (found["type"], found["count"], found["payload"]) == (ORDER_PLACED, 1, f"[{text}]")
    assert expect(200, await operator.get(f"/parked/{found['id']}")) == found

    groups = await operator.pages("/parked/groups?limit=1", "groups")
    group = next(one for one in groups if one["id"] == found["group"])
    assert (group["service"], group["place"], group["reason"], group["type"]) == (
        *("payments", "dead letters", "unreadable"),
        ORDER_PLACED,
    )
    assert group["messages"] >= 1
    assert group["held"] is None
    assert expect(200, await operator.get(f"/parked/groups/{group['id']}"))["id"] == group["id"]
    members = await operator.pages(f"/parked?group={group['id']}&limit=1", "messages")
    assert found["id"] in [one["id"] for one in members]
    assert {one["group"] for one in members} == {group["id"]}

    waiting, before = await operator.figures("unreadable")
    assert waiting >= 1
    hold = {"owner": "ada", "note": "waits for a fix", "ticket": "OPS-7"}
    held = expect(200, await operator.post(f"/parked/groups/{group['id']}/hold", hold))
    assert (held["held"]["owner"], held["held"]["ticket"]) == ("ada", "OPS-7")
    other = f"garbage {uuid4()}"
    await sent_to_payments(shop, other.encode())
    joined = await eventually(lambda: operator.message(other))
    assert await operator.figures("unreadable") == (0, before + waiting + 1)
    released = expect(200, await operator.post(f"/parked/groups/{group['id']}/release"))
    assert released["held"] is None
    assert await operator.figures("unreadable") == (waiting + 1, before)
    for did in ("hold_group", "release_group"):
        assert len(await operator.recorded(did, group["id"])) == 1

    replay = await operator.done(await operator.post(f"/parked/{found['id']}/replay"))
    assert (replay["kind"], replay["total"], replay["done"]) == ("replay", 1, 1)
    assert await operator.message(text) == found

    for one in (found, joined):
        discard = await operator.done(
            await operator.post(f"/parked/{one['id']}/discard", {"note": "a stray test"})
        )
        assert (discard["total"], discard["passed"], discard["done"]) == (1, 1, 1)
        assert discard["outcome"] == "1 of 1 were discarded"
        (act,) = await operator.recorded("discard_messages", one["id"])
        assert (act["note"], act["subject"], act["service"]) == ("a stray test", discard["id"], "payments")
        expect_problem(await operator.get(f"/parked/{one['id']}"), 404, code="message_not_found")
    assert await operator.figures("unreadable") == (waiting - 1, before)


async def test_a_group_is_replayed_once_its_cause_is_mended(shop: Shop, http: Http, gateway: Store) -> None:
    operator, kind = Operator(http, shop), f"shop.orders.odd-{uuid4().hex}.v1"
    user = await gateway.open_account(funds="10.00")
    orders = [new_order_id(user) for _ in range(3)]
    for order_id in orders:
        event = json.loads(placed_event(order_id, user, "1.00")) | {"type": kind}
        await sent_to_payments(shop, json.dumps(event).encode())

    async def all_parked() -> Any | None:
        groups = await operator.pages("/parked/groups", "groups")
        return next((one for one in groups if one["type"] == kind and one["messages"] == 3), None)

    group = await eventually(all_parked)
    assert group["reason"] == "unknown_type"
    with operated(shop) as settings:
        async with database(settings, "payments", user) as payments:
            # It does not matter which service parked it: the message itself is mended here.
            await payments.execute(
                "UPDATE parked_messages SET payload = replace(encode(payload, 'escape'), $1, $2)::bytea"
                " WHERE type = $1",
                kind,
                ORDER_PLACED,
            )
        for order_id in orders:
            await add_order(settings, order_id, user, 100)
    done = await operator.done(await operator.post(f"/parked/groups/{group['id']}/replay"))
    assert (done["total"], done["done"], done["service"]) == (3, 3, "payments")
    for order_id in orders:
        assert (await gateway.decided(str(order_id)))["status"] == "FINISHED"
    assert str(await gateway.balance(user)) == "7.00"
    expect_problem(await operator.get(f"/parked/groups/{group['id']}"), 404, code="group_not_found")


async def test_a_malformed_request_of_an_operator_is_named(shop: Shop, http: Http) -> None:
    operator, nothing = Operator(http, shop), uuid7()
    for body in ({}, {"note": ""}, {"note": " "}, {"note": "\x00"}, {"note": 1}, {"note": "x" * 1001}):
        for path in (f"/parked/{nothing}/discard", f"/parked/groups/{nothing}/discard"):
            expect_problem(await operator.post(path, body), 400, field="note")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"note": "x"}, "owner"),
        ({"owner": ""}, "owner"),
        ({"owner": "ada", "ticket": "\x00"}, "ticket"),
        ({"owner": "ada", "more": 1}, "more"),
    ]
    for body, field in wrong:
        expect_problem(await operator.post(f"/parked/groups/{nothing}/hold", body), 400, field=field)
    for path, code in (
        (f"/parked/{nothing}/replay", "message_not_found"),
        (f"/parked/groups/{nothing}/replay", "group_not_found"),
        (f"/parked/groups/{nothing}/release", "group_not_found"),
    ):
        expect_problem(await operator.post(path), 404, code=code)
        expect_problem(await operator.post(path, {"note": "x"}), 400, field="note")
    expect_problem(await operator.get(f"/operations/{nothing}"), 404, code="operation_not_found")
    for path in ("/parked/x", "/parked/groups/x", "/operations/x"):
        expect_problem(await operator.get(path), 400, field="id")


async def test_the_part_of_a_service_that_is_away_is_named_and_the_rest_is_told(
    three_services: ThreeServices, http: Http
) -> None:
    operator, text = Operator(http, three_services), f"garbage {uuid4()}"
    await sent_to_payments(three_services, text.encode())
    found = await eventually(lambda: operator.message(text))
    async with three_services.without("orders"):
        body = expect(200, await operator.get("/parked?limit=500"))
        assert body["unknown"] == ["orders"]
        assert found in body["messages"]
        assert expect(200, await operator.get("/parked/groups?limit=500"))["unknown"] == ["orders"]
        assert expect(200, await operator.get(f"/parked/{found['id']}")) == found
        expect_problem(await operator.get(f"/parked/{uuid7()}"), 503, code="unavailable")
        discarded = await operator.post(f"/parked/{found['id']}/discard", {"note": "a test"})
        assert (await operator.done(discarded))["done"] == 1

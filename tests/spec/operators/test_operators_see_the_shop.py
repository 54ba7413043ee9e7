"""Operators see how the shop fares, and have its books checked, with no access to a database."""

from operator import itemgetter
from typing import Any

from tests.servers.process import eventually
from tests.servers.shop import Shop
from tests.spec.operators.test_operators_act_for_customers import door
from tests.spec.scenario import Answer, expect, expect_problem, together
from tests.spec.store import Store

CHECKS = ["histories", "outboxes", "accounts", "transfers", "money", "decisions", "orders"]
AUDIT_WITHIN_S = 60.0


async def overview(gateway: Store) -> Any:
    return expect(200, await gateway.http.get(f"{door(gateway)}/ops/overview"))


async def latest(gateway: Store) -> Any:
    return expect(200, await gateway.http.get(f"{door(gateway)}/ops/audit"))["run"]


async def begin(gateway: Store) -> Answer:
    return await gateway.http.post(f"{door(gateway)}/ops/audit", None)


async def audited(gateway: Store) -> Any:
    """A run that was begun now, once it is over."""
    begun = expect(202, await begin(gateway))["run"]

    async def is_over() -> bool:
        return (await latest(gateway))["state"] != "running"

    await eventually(is_over, within=AUDIT_WITHIN_S, every=0.2)
    run = await latest(gateway)
    assert run["number"] == begun["number"]
    return run


async def test_the_overview_joins_both_services_and_the_orders_of_the_last_minutes(
    gateway: Store, shop: Shop
) -> None:
    user = await gateway.open_account(funds="20.00")
    await gateway.decided((await gateway.placed(user, "5.00"))["id"])
    seen = await overview(gateway)
    assert seen["unknown"] == []
    assert {one["service"]: (one["broker"], one["onTime"]) for one in seen["services"]} == {
        "orders": (True, True),
        "payments": (True, True),
    }
    for one in seen["services"]:
        assert one["schema"] >= one["schemaNeeded"] > 0
        assert one["version"]
        assert one["held"] == 0
    assert len(seen["series"]) == 60

    async def is_counted() -> bool:
        recent = (await overview(gateway))["series"][-4:]
        return any(step["decided"] and step["decidedP50Seconds"] is not None for step in recent)

    await eventually(is_counted, within=20, every=0.5)
    step = next(one for one in (await overview(gateway))["series"] if one["decided"])
    assert 0 < step["decidedP50Seconds"] <= step["decidedP99Seconds"]
    assert step["decided"] <= step["sampled"] <= step["orders"]
    assert step["ordersPerSecond"] > 0


async def test_an_audit_of_a_sound_shop_checks_what_the_command_checks(gateway: Store) -> None:
    user = await gateway.open_account(funds="20.00")
    await gateway.decided((await gateway.placed(user, "5.00"))["id"])
    run = await audited(gateway)
    assert (run["state"], run["faultCount"], run["faults"]) == ("sound", 0, [])
    assert [checked["check"] for checked in run["checked"]] == CHECKS
    assert run["checked"][-1]["count"] == run["done"] == run["total"] >= 1
    assert (await overview(gateway))["audit"]["run"] == run


async def test_of_many_audits_begun_at_once_those_beside_a_running_one_are_refused(gateway: Store) -> None:
    """A small shop's audit may be over before the last call comes, which then begins the next one."""
    answers = await together(*(begin(gateway) for _ in range(5)))
    begun = [answer for answer in answers if answer.status == 202]
    for answer in answers:
        if answer.status != 202:
            expect_problem(answer, 409, code="audit_running")
    runs = sorted((expect(202, answer)["run"] for answer in begun), key=itemgetter("number"))
    assert [run["number"] - runs[0]["number"] for run in runs] == [*range(len(runs))]
    assert {answer.headers["Location"] for answer in begun} == {"/ops/audit"}
    page = expect(200, await gateway.http.get(f"{door(gateway)}/ops/record?limit=500"))
    acts = [act for act in page["acts"] if act["did"] == "begin_audit"]
    for run in runs:
        assert [act["operator"] for act in acts if act["subject"] == run["id"]] == ["anyone"]

    async def is_over() -> bool:
        return (await latest(gateway))["state"] != "running"

    await eventually(is_over, within=AUDIT_WITHIN_S, every=0.2)

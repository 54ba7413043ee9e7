"""A stranger learns nothing of another's accounts and orders, on any operation of the three documents."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from kernel.adapters.http.conventions.caller import CURRENT
from kernel.domain.caller import ANYONE, Caller, Role
from tests.spec.scenario import Answer, expect, expect_problem, new_user
from tests.spec.security.conftest import Guarded
from tests.spec.security.operations import NO_ORDER, NOBODY, OPERATIONS, RULES, Kind, Operation, those
from tests.statements import statements_counted

BY_PATH = those(Kind.SEEN, Kind.DONE)
BY_NAME = those(Kind.SEEN_BY_NAME, Kind.DONE_BY_NAME)
INTERNAL = [operation for operation in those(*Kind) if operation.is_internal]
_OWN_WORDS = ("date", "x-request-id")


def for_a_caller() -> bool:
    """Whether what runs now is for a call with a token, and not for a relay, a job or a probe."""
    verified = CURRENT.get(None)
    return verified is not None and verified.caller != ANYONE


@dataclass(frozen=True)
class Scene:
    """A victim with an order, and a stranger with an account of their own."""

    shop: Guarded
    victim: str
    order: str
    stranger: str

    async def ask(
        self, token: str | None, operation: Operation, user: str, order: str, **headers: str
    ) -> Answer:
        method = headers.pop("method", operation.method)
        url, body = operation.url(self.shop, user, order), operation.body(user, order)
        return await self.shop.ask(token, method, url, body if method == "POST" else None, **headers)

    async def seen(
        self, operation: Operation, user: str, order: str, **headers: str
    ) -> tuple[int, str, Any, Counter[str]]:
        """The answer to the stranger, ids left out, and the statements that it took."""
        token = self.shop.keys.token(self.stranger)
        with statements_counted(for_a_caller) as (statements, _):
            answer = await self.ask(token, operation, user, order, **headers)
        told = {name: text for name, text in answer.headers.items() if name.lower() not in _OWN_WORDS}
        words = re.sub(f"{user}|{order}", "X", f"{sorted(told.items())} {answer.body.decode()}")
        words = re.sub(r"'Content-Length', '\d+'", "", words)
        return answer.status, words, answer.headers.get("Content-Type"), +statements

    async def seen_as_nothing(self, operation: Operation, **headers: str) -> tuple[int, str]:
        """The status and the words that a stranger is given for what is another's, and for nothing."""
        for _ in range(3):  # A gateway that follows orders reads them now and then, whoever calls meanwhile.
            anothers = await self.seen(operation, self.victim, self.order, **headers)
            nothing = await self.seen(operation, NOBODY, NO_ORDER, **headers)
            if anothers == nothing:
                break
        assert anothers == nothing
        return anothers[:2]


@pytest.fixture(scope="module")
async def scene(guarded: Guarded) -> Scene:
    victim, stranger = await guarded.customer(), await guarded.customer()
    return Scene(guarded, victim, await guarded.order_of(victim), stranger)


def test_every_operation_has_a_rule_and_every_rule_an_operation() -> None:
    assert {operation.id for operation in OPERATIONS} == RULES.keys()


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_without_a_good_token_there_is_nothing_but_what_is_open_to_all(
    scene: Scene, operation: Operation
) -> None:
    wrong = scene.shop.keys.token(scene.victim)[:-6] + "AAAAAA"
    expired = scene.shop.keys.token(scene.victim, valid_s=-60)
    bodies = set()
    for token in (None, "x", wrong, expired):
        answer = await scene.ask(token, operation, scene.victim, scene.order)
        if operation.rule.kind is Kind.OPEN:
            assert answer.status not in (401, 403)
        else:
            expect_problem(answer, 401, code="unauthorized")
            told = 'Bearer realm="shop"' + (', error="invalid_token"' if token is not None else "")
            assert answer.headers["WWW-Authenticate"] == told
            bodies.add(answer.body)
    assert len(bodies) <= 1, "which check failed is not told"


@pytest.mark.parametrize("operation", BY_PATH, ids=str)
async def test_a_stranger_cannot_tell_what_is_anothers_from_what_is_not_there(
    scene: Scene, operation: Operation
) -> None:
    status, _ = await scene.seen_as_nothing(operation)
    assert status == 404


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize("operation", BY_PATH, ids=str)
async def test_head_and_options_tell_a_stranger_nothing_either(
    scene: Scene, operation: Operation, method: str
) -> None:
    await scene.seen_as_nothing(operation, method=method)


@pytest.mark.parametrize("operation", those(Kind.SEEN), ids=str)
async def test_a_tag_or_the_number_of_an_event_tells_a_stranger_nothing_either(
    scene: Scene, operation: Operation
) -> None:
    own = scene.shop.keys.token(scene.victim)
    url = f"{scene.shop.urls['gateway']}/orders/{scene.order}"
    tag = (await scene.shop.ask(own, "GET", url)).headers["ETag"]
    for known in ({"If_None_Match": tag}, {"If_None_Match": "*"}, {"Last_Event_ID": "2"}):
        status, _ = await scene.seen_as_nothing(operation, **known)
        assert status == 404


@pytest.mark.parametrize("operation", BY_NAME, ids=str)
async def test_a_call_that_names_another_user_is_refused_whether_they_exist_or_not(
    scene: Scene, operation: Operation
) -> None:
    status, words = await scene.seen_as_nothing(operation)
    if operation.id == "placeOrders":
        assert status == 200
        assert '"status":403' in words
    else:
        assert status == 403
    assert "forbidden" in words


@pytest.mark.parametrize("role", [Role.USER, Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("operation", [*BY_PATH, *BY_NAME], ids=str)
async def test_owners_viewers_and_operators_get_what_they_may(
    scene: Scene, operation: Operation, role: Role
) -> None:
    """The owner as a user; everybody else by their role."""
    user = await scene.shop.customer() if operation.rule.kind is Kind.DONE else scene.victim
    order = await scene.shop.order_of(user) if operation.id == "cancelOrder" else scene.order
    token = scene.shop.keys.token(user if role is Role.USER else new_user(), role)
    answer = await scene.ask(token, operation, user, order)
    changes = operation.rule.kind in (Kind.DONE, Kind.DONE_BY_NAME)
    if operation.id == "placeOrders":
        assert answer.json[0]["status"] == (403 if role is Role.VIEWER else 201)
    elif role is Role.VIEWER and changes:
        expect_problem(answer, 403, code="forbidden")
    elif operation.id == "openAccount":
        expect_problem(answer, 409, code="account_exists")
    else:
        assert answer.status in (200, 201, 202), answer


@pytest.mark.parametrize("operation", INTERNAL, ids=str)
async def test_internal_operations_are_for_services_alone(scene: Scene, operation: Operation) -> None:
    for role in (Role.USER, Role.VIEWER, Role.OPERATOR):
        token = scene.shop.keys.token(scene.victim, role)
        expect_problem(await scene.ask(token, operation, scene.victim, scene.order), 403, code="forbidden")
    elsewhere = scene.shop.keys.service_token("gateway", "gateway")
    expect_problem(await scene.ask(elsewhere, operation, scene.victim, scene.order), 401)
    for_it = scene.shop.keys.service_token("gateway", operation.service)
    status = 200 if operation.rule.kind is Kind.SERVICES else 403
    answer = await scene.ask(for_it, operation, scene.victim, scene.order, Idempotency_Key="k")
    assert answer.status == status


@pytest.mark.parametrize("role", [Role.USER, Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("operation", those(Kind.ALL_SEEN, Kind.ACTED), ids=str)
async def test_only_operators_see_and_do_what_is_for_operators(
    scene: Scene, operation: Operation, role: Role
) -> None:
    customer = await scene.shop.customer()
    order, person = await scene.shop.order_of(customer), Caller(role, new_user())
    if operation.is_internal:
        token = scene.shop.keys.service_token("gateway", operation.service, person)
    else:
        token = scene.shop.keys.token(person.id, role)
    answer = await scene.ask(token, operation, customer, order, Idempotency_Key="k")
    may = role is Role.OPERATOR or (role is Role.VIEWER and operation.rule.kind is Kind.ALL_SEEN)
    if may:
        assert answer.status in ((404,) if operation.rule.missing else (200, 202)), answer
    else:
        expect_problem(answer, 403, code="forbidden")


@pytest.mark.parametrize("operation", BY_PATH, ids=str)
async def test_a_service_that_acts_for_nobody_sees_nothing_of_a_user(
    scene: Scene, operation: Operation
) -> None:
    token = scene.shop.keys.service_token("gateway", operation.service)
    answer = await scene.ask(token, operation, scene.victim, scene.order)
    assert answer.status in (401, 403, 404), answer  # The services behind a gateway do not know it at all.


@pytest.mark.parametrize("service", ["gateway", "orders", "payments"])
async def test_figures_are_for_viewers_operators_and_services(scene: Scene, service: str) -> None:
    url = f"{scene.shop.urls[service]}/metrics"
    statuses = {role: (await scene.shop.ask(scene.shop.keys.token("x", role), "GET", url)).status for role in
                (Role.USER, Role.VIEWER, Role.OPERATOR)}  # fmt: skip
    assert statuses == {Role.USER: 403, Role.VIEWER: 200, Role.OPERATOR: 200}
    assert (await scene.shop.ask(scene.shop.keys.service_token("orders", service), "GET", url)).status == 200


async def test_a_list_holds_what_is_the_callers_own(scene: Scene) -> None:
    orders = f"{scene.shop.urls['gateway']}/orders"
    token = scene.shop.keys.token(scene.stranger)
    own = await scene.shop.order_of(scene.stranger)
    for query in ("", f"?userId={scene.stranger}", "?limit=500", f"?after={scene.order}", "?status=FINISHED"):
        page = expect(200, await scene.shop.ask(token, "GET", orders + query))
        assert [order["id"] for order in page] == [own], query
    before = expect(200, await scene.shop.ask(token, "GET", f"{orders}?after={own}"))
    assert before == []
    everything = await scene.shop.ask(
        scene.shop.keys.token("olga", Role.OPERATOR), "GET", f"{orders}?limit=500"
    )
    assert {scene.order, own} <= {order["id"] for order in expect(200, everything)}


async def test_each_item_of_a_batch_is_checked_for_its_user(scene: Scene) -> None:
    for url in (f"{scene.shop.urls['gateway']}/orders/batch", f"{scene.shop.urls['orders']}/api/Order/batch"):
        items = [{"userId": user, "amount": 1} for user in (scene.stranger, scene.victim, scene.stranger)]
        outcomes = expect(
            200, await scene.shop.ask(scene.shop.keys.token(scene.stranger), "POST", url, items)
        )
        assert [outcome["status"] for outcome in outcomes] == [201, 403, 201]


@pytest.mark.parametrize(
    "path", ["//orders", "/orders/", "/%6frders", "/orders/.", "/ORDERS", "/accounts//x"]
)
async def test_no_spelling_of_a_path_gets_past_the_check_of_the_caller(scene: Scene, path: str) -> None:
    answer = await scene.shop.ask(None, "GET", f"{scene.shop.urls['gateway']}{path}")
    assert answer.status == 401, answer


async def test_an_operators_key_never_meets_the_users_own(scene: Scene) -> None:
    user, orders = await scene.shop.customer(), f"{scene.shop.urls['gateway']}/orders"
    callers = [(user, Role.USER), ("olga", Role.OPERATOR), ("oscar", Role.OPERATOR)]
    ids = []
    for number, (caller, role) in enumerate(callers, 1):
        token, body = scene.shop.keys.token(caller, role), {"userId": user, "amount": number}
        for _ in range(2):
            answer = await scene.shop.ask(token, "POST", orders, body, Idempotency_Key="k")
            ids.append(expect(201, answer)["id"])
        assert answer.headers["Idempotency-Replayed"] == "true"
    assert len(set(ids)) == len(callers)
    other = {"userId": user, "amount": 9}
    reused = await scene.shop.ask(scene.shop.keys.token(user), "POST", orders, other, Idempotency_Key="k")
    expect_problem(reused, 422, code="idempotency_key_reused")


async def test_a_key_of_another_replays_nothing(scene: Scene) -> None:
    user, orders = await scene.shop.customer(), f"{scene.shop.urls['gateway']}/orders"
    body = {"userId": user, "amount": 1}
    expect(201, await scene.shop.ask(scene.shop.keys.token(user), "POST", orders, body, Idempotency_Key="k"))
    token = scene.shop.keys.token(scene.stranger)
    for key in ("k", "other"):
        answer = await scene.shop.ask(token, "POST", orders, body, Idempotency_Key=key)
        expect_problem(answer, 403, code="forbidden")

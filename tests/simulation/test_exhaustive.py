"""Every port call of a flow meets every fault, one a run, and every message is destroyed once.

SIM_CALL (a number, or a name like orders.add for all of them) and SIM_FAULT, or SIM_MESSAGE, replay the run
that a failure names; SIM_STORY=all tells its history in any case.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from orders.application.cancel_orders import CancelOrders
from orders.domain.order import CANCELLED_BY_USER
from orders.domain.placing import EXPIRED
from orders.domain.status import Status
from payments.application.charge_orders import ChargeOrders
from payments.application.correct_accounts import CorrectAccounts
from payments.application.freeze_accounts import FreezeAccounts
from tests.assembly import Parts
from tests.memory.orders import ORDERS
from tests.simulation.faults import COMMIT, OPERATING, TRANSACTION, Fault, OneFault, faults_of
from tests.simulation.observing import Watched
from tests.simulation.operator_flows import ACTING
from tests.simulation.scenarios import (
    FLOWS,
    Clients,
    cancellations,
    describe,
    fair_weather,
    main_flow,
    run,
    times_to_pay,
)
from tests.simulation.service import LeavesAllBehind

flows = pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)


def schedules(flow: Clients) -> list[tuple[int, Fault]]:
    wanted_call, wanted_fault = os.environ.get("SIM_CALL"), os.environ.get("SIM_FAULT")
    return [
        (number, fault)
        for number, call in enumerate(fair_weather(flow).calls)
        for fault in faults_of(call)
        if wanted_call in (None, str(number), call) and wanted_fault in (None, fault.name)
    ]


def named(test: str, flow: Clients) -> str:
    """The expression with which `pytest -k` selects this test and flow."""
    return f"'{test} and {flow.__name__}'"


def test_in_fair_weather_the_flows_make_every_kind_of_call() -> None:
    calls = {call for flow in FLOWS.values() for call in fair_weather(flow).calls}
    assert {call.split(".")[0] for call in calls} >= (TRANSACTION - OPERATING) | {"placed", "opened"}
    assert calls >= {"uow.begin", "uow.commit", "bus.publish", "bus.deliver", "bus.acknowledge"}
    assert calls >= {"http.open", "http.deposit", "http.order", "http.admission", "admission.check"}
    assert calls >= {"http.cancel", "ledger.of_orders"}
    calls = {call for flow in ACTING.values() for call in fair_weather(flow).calls}
    assert calls >= {"http.freeze", "http.unfreeze", "http.correct", "accounts.save_frozen", "record.add"}


@flows
def test_whatever_happens_at_whichever_call_every_promise_is_kept(flow: Clients) -> None:
    test, ends = named("whichever_call", flow), set()
    for number, fault in schedules(flow):
        shop = run(OneFault(number, fault), flow)
        replay = {"SIM_CALL": number, "SIM_FAULT": fault.name}
        assert not shop.broken, describe(shop, test, **replay)
        if "SIM_STORY" in os.environ:
            print(describe(shop, test, **replay))
        ends |= {(order.status, order.reason) for order in shop.databases["orders"].rows(ORDERS)}
    if flow is times_to_pay and "SIM_CALL" not in os.environ:
        assert ends == {(Status.FINISHED, None), (Status.CANCELLED, EXPIRED)}
    if flow is cancellations and "SIM_CALL" not in os.environ:
        assert ends >= {
            (Status.REFUNDED, None),
            (Status.CANCELLED, CANCELLED_BY_USER),
            (Status.CANCELLED, "insufficient_funds"),
        }


ENDS = {
    "freezing": {(Status.CANCELLED, "account_frozen"), (Status.FINISHED, None), (Status.REFUNDED, None)},
    "correcting": {(Status.CANCELLED, "insufficient_funds"), (Status.FINISHED, None)},
    "calling_off": {(Status.CANCELLED, "account_frozen"), (Status.REFUNDED, None)},
}


def races(flow: Clients) -> Iterator[tuple[int, Fault]]:
    """Each call of operators, and each by which payments may be first, meets one of its faults; `make prove`
    strikes every call with all of them."""
    if "SIM_CALL" in os.environ:
        yield from schedules(flow)
        return
    shop = run(weather := Watched(), flow, parts=weather.parts)
    assert not shop.broken, describe(shop, "fair_weather")
    for number, (call, use_case) in enumerate(zip(weather.calls, weather.use_cases, strict=True)):
        racing = use_case is ChargeOrders and call in ("uow.begin", "accounts.lock", COMMIT)
        if racing or use_case in (FreezeAccounts, CorrectAccounts, CancelOrders):
            faults = list(faults_of(call))
            yield number, faults[number % len(faults)]


@pytest.mark.parametrize("flow", ACTING.values(), ids=ACTING)
def test_whatever_happens_while_operators_act_every_promise_is_kept(flow: Clients) -> None:
    ends = set()
    for number, fault in races(flow):
        shop = run(OneFault(number, fault), flow)
        replay = {"SIM_CALL": number, "SIM_FAULT": fault.name}
        assert not shop.broken, describe(shop, named("operators_act", flow), **replay)
        ends |= {(order.status, order.reason) for order in shop.databases["orders"].rows(ORDERS)}
    if "SIM_CALL" not in os.environ:
        assert ends >= ENDS[flow.__name__]


def test_what_was_left_behind_is_relayed_whatever_happens_at_whichever_call() -> None:
    parts = Parts(publish_committed=LeavesAllBehind)
    # Which takes so long that orders would be asked about.
    options: dict[str, Any] = {"parts": parts, "ask_again": False}
    weather = fair_weather(**options)
    assert {"backlog.take", "bus.publish"} <= set(weather.calls)
    wanted = os.environ.get("SIM_CALL"), os.environ.get("SIM_FAULT")
    for number, call in enumerate(weather.calls):
        for fault in faults_of(call):
            if call.startswith(("backlog", "bus", "uow")) and wanted in (
                (None, None),
                (str(number), fault.name),
            ):
                shop = run(OneFault(number, fault), main_flow, **options)
                assert not shop.broken, describe(shop, "left_behind", SIM_CALL=number, SIM_FAULT=fault.name)


@flows
def test_whichever_message_is_destroyed_asking_again_heals_it(flow: Clients) -> None:
    if "SIM_MESSAGE" in os.environ:
        messages = [int(os.environ["SIM_MESSAGE"])]
    else:
        messages = list(range(fair_weather(flow).messages_count))
    requests = 0
    for number in messages:
        shop = run(OneFault(destroyed=number), flow, destroying=True)
        assert not shop.broken, describe(shop, named("whichever_message", flow), SIM_MESSAGE=number)
        requests += shop.repeated_requests_count
    assert requests > 0, "nothing that was destroyed was missed"

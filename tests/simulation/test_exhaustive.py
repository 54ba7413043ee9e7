"""Every port call of the main flow meets every fault, one a run, and every message is destroyed once.

SIM_CALL (a number, or a name like orders.add for all of them) and SIM_FAULT, or SIM_MESSAGE, replay the run
that a failure names; SIM_STORY=all tells its history in any case.
"""

import os

from tests.simulation.faults import TRANSACTION, Fault, OneFault, faults_of
from tests.simulation.scenarios import fair_weather, main_flow, run, told


def schedules() -> list[tuple[int, Fault]]:
    wanted_call, wanted_fault = os.environ.get("SIM_CALL"), os.environ.get("SIM_FAULT")
    return [
        (number, fault)
        for number, call in enumerate(fair_weather().calls)
        for fault in faults_of(call)
        if wanted_call in (None, str(number), call) and wanted_fault in (None, fault.name)
    ]


def test_in_fair_weather_the_main_flow_makes_every_kind_of_call() -> None:
    calls = set(fair_weather().calls)
    assert {call.split(".")[0] for call in calls} >= TRANSACTION | {"placed", "opened"}
    assert calls >= {"uow.begin", "uow.commit", "bus.publish", "bus.deliver", "bus.acknowledge"}
    assert calls >= {"http.open", "http.deposit", "http.order", "http.admission", "admission.judge"}


def test_whatever_happens_at_whichever_call_every_promise_is_kept() -> None:
    for number, fault in schedules():
        shop = run(OneFault(number, fault), main_flow)
        replay = {"SIM_CALL": number, "SIM_FAULT": fault.name}
        assert not shop.broken, told(shop, "whichever_call", **replay)
        if "SIM_STORY" in os.environ:
            print(told(shop, "whichever_call", **replay))


def test_whichever_message_is_destroyed_asking_again_heals_it() -> None:
    if "SIM_MESSAGE" in os.environ:
        messages = [int(os.environ["SIM_MESSAGE"])]
    else:
        messages = list(range(fair_weather().messages_count))
    for number in messages:
        shop = run(OneFault(destroyed=number), main_flow, destroying=True)
        assert not shop.broken, told(shop, "whichever_message", SIM_MESSAGE=number)
        assert shop.questions_count > 0 or not shop.broker.destroyed_count

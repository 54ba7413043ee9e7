"""Every port call of the main flow meets every fault, one a run, and every message is destroyed once.

SIM_CALL and SIM_FAULT, or SIM_MESSAGE, replay the one run that a failure names.
"""

import os

from tests.simulation.faults import TRANSACTION, Fault, OneFault, faults_of
from tests.simulation.scenarios import fair_weather, main_flow, run, told


def schedules() -> list[tuple[int, Fault]]:
    if "SIM_CALL" in os.environ:
        return [(int(os.environ["SIM_CALL"]), Fault[os.environ["SIM_FAULT"]])]
    calls = fair_weather().calls
    return [(number, fault) for number, call in enumerate(calls) for fault in faults_of(call)]


def test_in_fair_weather_the_main_flow_makes_every_kind_of_call() -> None:
    calls = set(fair_weather().calls)
    assert {call.split(".")[0] for call in calls} >= TRANSACTION | {"placed", "opened"}
    assert calls >= {"uow.begin", "uow.commit", "bus.publish", "bus.deliver", "bus.acknowledge"}
    assert calls >= {"http.open", "http.deposit", "http.order", "http.admission", "admission.judge"}


def test_whatever_happens_at_whichever_call_every_promise_is_kept() -> None:
    for number, fault in schedules():
        shop = run(OneFault(number, fault), main_flow)
        assert not shop.broken, told(shop, "whichever_call", SIM_CALL=number, SIM_FAULT=fault.name)


def test_whichever_message_is_destroyed_asking_again_heals_it() -> None:
    if "SIM_MESSAGE" in os.environ:
        messages = [int(os.environ["SIM_MESSAGE"])]
    else:
        messages = list(range(fair_weather().messages_count))
    for number in messages:
        shop = run(OneFault(destroyed=number), main_flow, destroying=True)
        assert not shop.broken, told(shop, "whichever_message", SIM_MESSAGE=number)
        assert shop.questions_count > 0 or not shop.broker.destroyed_count

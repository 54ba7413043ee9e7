"""The gateway itself refuses what is for operators: it asks no service for anybody else."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from gateway.application.act_at_service import ActAtService
from gateway.application.audits import Audits
from gateway.application.explain_order import ExplainOrder
from gateway.application.join_parked import JoinParked
from gateway.application.read_consumers import ReadConsumers
from gateway.application.read_overview import ReadOverview
from gateway.application.read_record import ReadRecord
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Forbidden
from tests.unit.clock import RecordingClock
from tests.unit.untouched import Untouched

ORDER = UUID(int=1)
Call = Callable[[Caller], Awaitable[object]]


SERVICE: Any = Untouched()
SERVICES: Any = {"orders": SERVICE, "payments": SERVICE}
ACT = ActAtService(SERVICES, RecordingClock())

ACTS: dict[str, Call] = {
    "act at a service": lambda caller: ACT(caller, "payments", "/ops/accounts/alice/freeze", b""),
    "act at a service that there is not": lambda caller: ACT(caller, "nobody", "/ops", b""),
    "act at the service that has it": lambda caller: JoinParked(SERVICES).act(caller, "/x"),
    "begin an audit": lambda caller: Audits(SERVICE).begin(caller),
}
READS: dict[str, Call] = {
    "the latest audit": lambda caller: Audits(SERVICE).latest(caller),
    "the overview": lambda caller: ReadOverview(SERVICES, SERVICE)(caller),
    "the consumers": lambda caller: ReadConsumers(SERVICES)(caller),
    "a page of parked messages": lambda caller: JoinParked(SERVICES).page(
        caller, "messages", after=None, limit=1
    ),
    "a parked message": lambda caller: JoinParked(SERVICES).read(caller, "/x"),
    "the record": lambda caller: ReadRecord(SERVICES)(caller, after=None, limit=1),
    "explain": lambda caller: ExplainOrder(SERVICES, RecordingClock())(caller, ORDER),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", [Role.USER, Role.SERVICE, Role.VIEWER])
async def test_no_service_is_asked_to_act_for_a_caller_who_is_no_operator(act: str, role: Role) -> None:
    with pytest.raises(Forbidden):
        await ACTS[act](Caller(role, "alice"))


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("role", [Role.USER, Role.SERVICE])
async def test_no_service_is_asked_for_what_the_caller_may_not_see(read: str, role: Role) -> None:
    with pytest.raises(Forbidden):
        await READS[read](Caller(role, "alice"))

"""Routes for operators: the series of orders per second, and the audit."""

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.application.group_commit import GroupCommit
from kernel.ports.clock import Clock
from orders import wire
from orders.application.read_audit import ReadAudit
from orders.application.read_series import ReadSeries
from orders.contract import http, operations
from orders.domain.audit_run import AuditRun, BeginAudit


@get(**operations.READ_SERIES)
@inject
async def read_series(read: FromDishka[ReadSeries]) -> JsonAnswer[list[http.SeriesStep]]:
    return JsonAnswer(wire.series_body(await read(calling())))


@post(**operations.BEGIN_AUDIT)
@inject
async def begin_audit(
    begin: FromDishka[GroupCommit[BeginAudit, AuditRun]], clock: FromDishka[Clock]
) -> JsonAnswer[http.Audit]:
    command = BeginAudit(run_id=clock.new_id(), caller=calling().as_operator())
    run = await begin(command)
    location = {"Location": f"/ops{operations.AUDIT_PATH}"}
    return JsonAnswer(wire.audit_body(run, run.state), headers=location)


@get(**operations.READ_AUDIT)
@inject
async def read_audit(read: FromDishka[ReadAudit]) -> JsonAnswer[http.Audit]:
    found = await read(calling())
    return JsonAnswer(http.Audit(None) if found is None else wire.audit_body(*found))


HANDLERS = (read_series, begin_audit, read_audit)

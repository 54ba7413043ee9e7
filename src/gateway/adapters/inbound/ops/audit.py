"""The routes of the audit, which the orders service runs."""

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post

from gateway.application.audits import Audits
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from orders.contract import operations


@post(**operations.BEGIN_AUDIT)
@inject
async def begin_audit(audits: FromDishka[Audits]) -> JsonAnswer[bytes]:
    return passed_on(await audits.begin(calling()))


@get(**operations.READ_AUDIT)
@inject
async def read_audit(audits: FromDishka[Audits]) -> JsonAnswer[bytes]:
    return JsonAnswer(await audits.latest(calling()))

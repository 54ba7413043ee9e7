"""The route of the overview: the present state of the whole shop."""

import msgspec
from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get

from gateway.application.parts import Parts
from gateway.application.read_overview import AUDIT, SERIES, ReadOverview
from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.operators.declaring import read
from kernel.adapters.http.operators.overview import EXAMPLE, PATH
from kernel.contracts.http import ResponseBody
from kernel.contracts.operators import ServiceOverview
from kernel.contracts.values import encode
from orders.contract import examples
from orders.contract.http import Audit, SeriesStep


class Overview(ResponseBody, frozen=True):
    """`unknown` names the missing parts: services that did not answer, `series`, `audit`."""

    services: list[ServiceOverview]
    series: list[SeriesStep] | None
    audit: Audit | None
    unknown: list[str]


class RawOverview(ResponseBody, frozen=True):
    """An Overview whose parts stay JSON, so that the gateway need not decode them."""

    services: list[msgspec.Raw]
    series: msgspec.Raw
    audit: msgspec.Raw
    unknown: list[str]


_EXAMPLE = {
    "services": [EXAMPLE],
    "series": [examples.SERIES_STEP],
    "audit": {"run": examples.AUDIT_RUN},
    "unknown": ["payments"],
}
READ_OVERVIEW = read(
    PATH,
    "readOverview",
    "The state of the shop: each service, the orders of the last 15 minutes, the latest audit",
    answer=(Overview, "The known parts", _EXAMPLE),
)


@get(**READ_OVERVIEW)
@inject
async def read_overview(read: FromDishka[ReadOverview]) -> JsonAnswer[bytes]:
    return JsonAnswer(encode(_raw(await read(calling()))))


def _raw(parts: Parts[bytes]) -> RawOverview:
    of_all = {name: msgspec.Raw(parts.known.get(name, b"null")) for name in (SERIES, AUDIT)}
    services = [msgspec.Raw(body) for name, body in parts.known.items() if name not in of_all]
    return RawOverview(services, **of_all, unknown=list(parts.unknown))

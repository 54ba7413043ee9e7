"""Routes for the audit, which the orders service runs."""

from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get, post

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.paging import PAGE_SIZE, PageLimit
from kernel.contracts.operators import CheckResult, check_result
from kernel.domain.errors import Invalid
from kernel.domain.ids import parse_user_id
from payments import wire
from payments.application.read_claims import ReadClaims
from payments.contract import for_orders, http
from payments.domain.claims import Key


@get(**for_orders.LIST_CLAIMS)
@inject
async def list_claims(
    read: FromDishka[ReadClaims],
    after: for_orders.AfterClaim = None,
    until: for_orders.UntilClaim = None,
    limit: PageLimit = PAGE_SIZE,
) -> JsonAnswer[list[http.Claim]]:
    places = _key("after", after), _key("until", until)
    claims = await read.page(calling(), *places, limit=limit)
    return JsonAnswer([http.Claim(one.user_id, one.order_id, one.claim) for one in claims])


@post(**for_orders.READ_CLAIMS)
@inject
async def read_claims(
    data: for_orders.OrderKeysBody, read: FromDishka[ReadClaims]
) -> JsonAnswer[list[http.KnownPayment]]:
    known = await read.known(calling(), [(one.user_id, one.order_id) for one in data])
    return JsonAnswer([wire.known_payment(one) for one in known])


@get(**for_orders.RUN_CHECKS)
@inject
async def run_checks(read: FromDishka[ReadClaims]) -> JsonAnswer[list[CheckResult]]:
    return JsonAnswer([check_result(one) for one in await read.checked(calling())])


def _key(field: str, text: str | None) -> Key | None:
    """Parses a key of the form `user~order`. Raises Invalid for the field."""
    if text is None:
        return None
    user_id, _, order_id = text.partition("~")
    try:
        return parse_user_id(user_id), UUID(order_id)
    except ValueError:
        raise Invalid.field(field, "must be a user and an order, as user~order") from None

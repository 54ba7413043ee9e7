"""The header Idempotency-Key identifies a change, which happens once even if the request is repeated."""

import re
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter

from kernel.adapters.http.conventions.headers import REPLAYED
from kernel.adapters.http.parsing.body import decode_body
from kernel.adapters.http.parsing.query import plain_query
from kernel.domain.errors import Invalid

KEY = "Idempotency-Key"
WELL_FORMED = re.compile(r"[ -~]{1,255}")
MALFORMED = "must be 1 to 255 printable ASCII characters"

_HEADER = HeaderParameter(
    name=KEY,
    min_length=1,
    max_length=255,
    pattern="^[ -~]*$",
    description="Printable ASCII. The same key with the same values gets the first outcome again; the key"
    " belongs to the user and never expires.",
    examples=[Example(value="cart-1001")],
)
IdempotencyKey = Annotated[str | None, _HEADER]
RequiredKey = Annotated[str, _HEADER]


class _NoFields(msgspec.Struct, forbid_unknown_fields=True):
    pass


AnyRequest = Request[Any, Any, Any]

# Litestar runs one of these functions before a request, instead of `plain_query`. They raise Invalid. A guard
# would make Litestar copy the handler, which costs a tenth of a call.


async def nothing_but_a_key(request: AnyRequest) -> None:
    """Checks a request for a change that is idempotent by nature, with or without a key.

    A body with fields is refused, because the client may expect a field, such as an amount, to have effect.
    """
    await plain_query(request)
    if not WELL_FORMED.fullmatch(request.headers.get(KEY, "none")):
        raise Invalid.field(KEY, MALFORMED)
    body = (await request.body()).strip()
    if body not in (b"", b"null"):
        decode_body(body, _NoFields)


async def keys_in_the_body(request: AnyRequest) -> None:
    await plain_query(request)
    if KEY in request.headers:
        raise Invalid.field(KEY, "is for one change; each item of a batch has an idempotencyKey of its own")


def replay_headers(*, replayed: bool) -> dict[str, str]:
    return {REPLAYED: "true"} if replayed else {}

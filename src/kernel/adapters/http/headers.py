"""The headers of answers, as OpenAPI tells of them."""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIHeader, OpenAPIResponse, OpenAPIType, Operation, Schema

ETAG = "ETag"
LINK = "Link"
LOCATION = "Location"
PREFERENCE_APPLIED = "Preference-Applied"
REPLAYED = "Idempotency-Replayed"

_DESCRIPTIONS = {
    ETAG: "For If-None-Match, to be answered 304 as long as nothing has changed.",
    LINK: 'The next page, as `<…>; rel="next"` (RFC 8288); absent on the last one.',
    LOCATION: "Where to read it.",
    PREFERENCE_APPLIED: "The wait that was honoured, as `wait=10` (RFC 7240).",
    REPLAYED: "`true` where the key was known: this is the outcome of the first call again.",
}


def answering_with(*headers: str) -> type[Operation]:
    """For `operation_class`: an operation whose successful answers, and 304, may bear these headers."""

    @dataclass
    class Documented(Operation):
        def __post_init__(self) -> None:
            for status, response in (self.responses or {}).items():
                if status < "4" and isinstance(response, OpenAPIResponse):
                    response.headers = {name: _documented(name) for name in headers}

    return Documented


def _documented(name: str) -> OpenAPIHeader:
    return OpenAPIHeader(schema=Schema(type=OpenAPIType.STRING), description=_DESCRIPTIONS[name])

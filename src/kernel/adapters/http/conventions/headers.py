"""The names of answer headers, and their descriptions in OpenAPI."""

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.openapi.spec import Link, OpenAPIHeader, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

CACHE_CONTROL = "Cache-Control"
CHALLENGE = "WWW-Authenticate"
DEPRECATION = "Deprecation"
ETAG = "ETag"
LINK = "Link"
LOCATION = "Location"
PREFERENCE_APPLIED = "Preference-Applied"
RATE_LIMIT = "RateLimit"
RATE_LIMIT_POLICY = "RateLimit-Policy"
REPLAYED = "Idempotency-Replayed"
RETRY_AFTER = "Retry-After"

_TEXT = Schema(type=OpenAPIType.STRING)
_ADDRESS = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.URI_REFERENCE)

_DOCUMENTED = {
    ETAG: OpenAPIHeader(
        _TEXT,
        description="To send as If-None-Match. The answer is 304 while nothing has changed.",
        required=True,
    ),
    LINK: OpenAPIHeader(
        _TEXT, description='The next page, as `<…>; rel="next"` (RFC 8288); absent on the last one.'
    ),
    LOCATION: OpenAPIHeader(_ADDRESS, description="Where to read it.", required=True),
    PREFERENCE_APPLIED: OpenAPIHeader(
        _TEXT, description="The wait that was honoured, as `wait=10` (RFC 7240)."
    ),
    REPLAYED: OpenAPIHeader(
        Schema(type=OpenAPIType.STRING, enum=["true"]),
        description="`true` if the key was known: this is the outcome of the first call.",
    ),
    RETRY_AFTER: OpenAPIHeader(
        Schema(type=OpenAPIType.INTEGER, minimum=1), description="Seconds to wait.", required=True
    ),
}
RATE_LIMITED = {
    RATE_LIMIT: OpenAPIHeader(
        _TEXT,
        description='How many calls are left, and for how many seconds, as `"user";r=0;t=1`'
        " (draft-ietf-httpapi-ratelimit-headers-11).",
    ),
    RATE_LIMIT_POLICY: OpenAPIHeader(
        _TEXT, description='How many calls in how many seconds, as `"user";q=50;w=1`.'
    ),
}
RETRYING = {RETRY_AFTER: _DOCUMENTED[RETRY_AFTER]}
CHALLENGED = {CHALLENGE: OpenAPIHeader(_TEXT, description="Which token is needed (RFC 6750).", required=True)}
DEPRECATED = {
    DEPRECATION: OpenAPIHeader(_TEXT, description="Since when (RFC 9745).", required=True),
    LINK: OpenAPIHeader(_TEXT, description='What to use, as `<…>; rel="successor-version"`.', required=True),
    CACHE_CONTROL: OpenAPIHeader(Schema(const="no-store"), required=True),
}


def answering_with(*headers: str, links: Mapping[str, Link] | None = None) -> type[Operation]:
    """An `operation_class` that documents the headers of 2xx and 3xx answers and the links of 2xx answers."""

    @dataclass
    class Documented(Operation):
        def __post_init__(self) -> None:
            for status, response in (self.responses or {}).items():
                if status < "4" and isinstance(response, OpenAPIResponse):
                    response.headers = {name: _DOCUMENTED[name] for name in headers}
                    response.links = dict(links or {}) if status < "3" else None

    return Documented

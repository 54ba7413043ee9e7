"""The HTTP status of each kind of error, and the error codes for statuses that the framework answers."""

from kernel.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ShopError,
    Unauthenticated,
    Unavailable,
)

STATUS_OF_KIND: dict[type[ShopError], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Refused: 422,
    RateLimited: 429,
    Unavailable: 503,
    OutcomeUnknown: 504,
}

# The error codes for statuses that the framework answers before a route runs.
CODE_OF_STATUS = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    500: "internal_error",
}

# The details that replace the framework's own texts, by error code.
DETAILS = {
    "method_not_allowed": "this route does not have this method; Allow names its methods",
    "not_found": "there is no such route",
}

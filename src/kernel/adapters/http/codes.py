"""The one table from kinds of errors and their codes to statuses and texts of HTTP."""

from kernel.domain.errors import Conflict, Invalid, NotFound, OutcomeUnknown, Refused, ShopError, Unavailable

STATUS_OF_KIND: dict[type[ShopError], int] = {
    Invalid: 400,
    NotFound: 404,
    Conflict: 409,
    Refused: 422,
    Unavailable: 503,
    OutcomeUnknown: 504,
}
STATUS_OF_CODE = {"insufficient_funds": 402, "unsupported_media_type": 415, "too_many_streams": 429}

# Statuses that the framework answers with, before any code of ours runs.
CODE_OF_STATUS = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    500: "internal_error",
}

TITLES = {
    "account_exists": "The user already has an account",
    "account_not_found": "The user has no account",
    "balance_limit": "The balance would exceed its limit",
    "body_too_large": "The body is too large",
    "database_unavailable": "The database is away",
    "head_too_large": "The head of the request is too large",
    "idempotency_key_reused": "The idempotency key was used with other values",
    "insufficient_funds": "The balance does not suffice",
    "internal_error": "Something went wrong here",
    "invalid_request": "The request is not valid",
    "method_not_allowed": "This route has no such method",
    "not_found": "There is nothing here",
    "not_ready": "Requests cannot be served now",
    "order_cancelled": "The order is cancelled already",
    "order_not_found": "There is no such order",
    "order_refunded": "The order is refunded already",
    "outcome_unknown": "It is not known whether this was done",
    "overloaded": "Too many calls are waiting",
    "request_timeout": "The request did not come in time",
    "stopping": "This process is about to end",
    "too_many_streams": "This client has too many streams",
    "unavailable": "A part of the shop is away",
    "unsupported_media_type": "The body must be JSON that is not encoded",
}

# In place of the framework's own texts.
DETAILS = {
    "method_not_allowed": "this route has other methods, which Allow names",
    "not_found": "there is no such route",
}

"""Problems that every service may answer with (RFC 9457), and the class that declares further ones."""

from collections.abc import Mapping
from dataclasses import field
from typing import TypeVar

from kernel.domain.value import value

T = TypeVar("T")


@value
class Problems:
    """The codes of a service's problems: the title of each, and its status if the kind of the error does not
    determine it. A service declares `COMMON | Problems(…)`. The gateway joins all declarations."""

    titles: Mapping[str, str]
    statuses: Mapping[str, int] = field(default_factory=dict)

    def __or__(self, other: "Problems") -> "Problems":
        """Joins both. Raises ValueError if a code would have two titles or two statuses."""
        return Problems(_joined(self.titles, other.titles), _joined(self.statuses, other.statuses))


def _joined(some: Mapping[str, T], others: Mapping[str, T]) -> Mapping[str, T]:
    for code in some.keys() & others.keys():
        if some[code] != others[code]:
            raise ValueError(f"{code} is {some[code]!r} and {others[code]!r}")
    return {**some, **others}


COMMON = Problems(
    {
        "body_too_large": "The body is too large",
        "database_unavailable": "The database is away",
        "forbidden": "This is not for this caller",
        "group_not_found": "There is no such group of messages",
        "head_too_large": "The head of the request is too large",
        "idempotency_key_reused": "The idempotency key was used with other values",
        "internal_error": "Something went wrong here",
        "invalid_request": "The request is not valid",
        "message_not_found": "No such message waits",
        "method_not_allowed": "This route has no such method",
        "not_found": "There is nothing here",
        "not_ready": "Requests cannot be served now",
        "operation_not_found": "There is no such operation",
        "outcome_unknown": "It is not known whether this was done",
        "overloaded": "Too many calls are waiting",
        "rate_limited": "There are too many calls",
        "request_timeout": "The request did not come in time",
        "service_not_found": "There is no such service",
        "stopping": "This process is about to end",
        "unauthorized": "It is not known who is calling",
        "unavailable": "A part of the shop is away",
        "unsupported_media_type": "The body must be JSON that is not encoded",
    },
    {"unsupported_media_type": 415},
)

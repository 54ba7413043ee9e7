"""The header X-Request-Id, which identifies a call in answers, logs, other services and events."""

import re
from collections.abc import Sequence
from contextvars import ContextVar

HEADER = "X-Request-Id"
# The header for the ids of a batch's items: one service sends another the calls of many clients at once.
REQUEST_IDS = "shop-request-ids"
_NONE = "~"  # not a valid id
_LINE_ITEMS_MAX = 50  # keeps a line below 8 KiB, the most that many servers and proxies take

_VALID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")

# The id of the current call, or of a batch with one item. Empty in a larger batch, or without a call.
CURRENT = ContextVar("current_request_id", default="")


def valid(text: object) -> str:
    """Returns the text if it is a valid id, else an empty string."""
    return text if isinstance(text, str) and _VALID.fullmatch(text) else ""


def trace_id(traceparent: str) -> str:
    """The trace id, which is the request id of a call whose client sent no id."""
    return traceparent[3:35]


def list_of(ids: Sequence[str]) -> list[tuple[str, str]]:
    """The headers with the request ids of a batch. No headers if no item has an id."""
    if not any(ids):
        return []
    values = [request_id or _NONE for request_id in ids]
    starts = range(0, len(values), _LINE_ITEMS_MAX)
    return [(REQUEST_IDS, ",".join(values[start : start + _LINE_ITEMS_MAX])) for start in starts]


def from_list(header: str | None, *, traceparents: Sequence[str], default: str) -> list[str]:
    """The id of each item. An item without an id gets `default`, or its trace id if `default` is empty."""
    values = [valid(item.strip()) for item in (header or "").split(",")]
    if len(values) != len(traceparents):
        values = [""] * len(traceparents)
    return [own or default or trace_id(text) for own, text in zip(values, traceparents, strict=True)]

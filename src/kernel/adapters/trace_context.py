"""W3C Trace Context. Every call continues the caller's trace, or starts a new trace."""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from random import Random

# The header for the traces of a batch's items: one service sends another the calls of many clients at once.
# The list may be split over several header lines (RFC 9110, section 5.3).
TRACEPARENTS = "shop-traceparents"
_NONE = "-"
_LINE_ITEMS_MAX = 100  # keeps a line below 8 KiB, the most that many servers and proxies take

_VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_RANDOM = Random()

# The traceparent of the current call, or of a batch. Empty in an untraced batch of several items.
CURRENT = ContextVar("current_traceparent", default="")


def valid(header: str | None) -> str:
    """Returns the header if it is valid, else an empty string."""
    return header if header is not None and _VALID.fullmatch(header) else ""


def traceparent(header: str | None) -> str:
    """Returns the header if it is valid, else the traceparent of a new trace that is not sampled."""
    return valid(header) or f"00-{1 + _RANDOM.getrandbits(127):032x}-{1 + _RANDOM.getrandbits(63):016x}-00"


def list_of(traceparents: Sequence[str]) -> list[tuple[str, str]]:
    """The headers with the traceparents of a batch. No headers if no item has a trace."""
    if not any(traceparents):
        return []
    values = [traceparent or _NONE for traceparent in traceparents]
    starts = range(0, len(values), _LINE_ITEMS_MAX)
    return [(TRACEPARENTS, ",".join(values[start : start + _LINE_ITEMS_MAX])) for start in starts]


def from_list(header: str | None, *, count: int, default: str) -> list[str]:
    """The traceparents of `count` items. An item without a valid traceparent gets `default`."""
    values = [valid(item.strip()) or default for item in (header or "").split(",")]
    return values if len(values) == count else [default] * count

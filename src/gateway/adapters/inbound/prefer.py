"""Reads `Prefer: wait=N` (RFC 7240)."""

import re
from typing import Annotated

from litestar.openapi.spec import Example
from litestar.params import HeaderParameter

WAIT_MAX_S = 30

Prefer = Annotated[
    str | None,
    HeaderParameter(
        name="Prefer",
        description=(
            f"`wait=N`: answer once the order is decided, after N seconds at the latest; above {WAIT_MAX_S}"
            f" counts as {WAIT_MAX_S}. `Preference-Applied` says that it was honoured. An unreadable value is"
            " ignored (RFC 7240)."
        ),
        examples=[Example(value="wait=10")],
    ),
]

# One preference of a list. Commas separate preferences, but a quoted value may contain commas too. A quote
# that is not closed runs to the end: backtracking at each quote would block the event loop for seconds.
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.?)*"?)+', re.DOTALL)
_WAIT = re.compile(r"wait\s*(?:=(?P<value>[^;]*))?(?:;.*)?", re.IGNORECASE | re.DOTALL)
_SECONDS = re.compile(r'(?P<quote>"?)(?P<digits>[0-9]+)(?P=quote)')


def wait_s(prefer: str) -> int | None:
    """The seconds of the first wait in the header (RFC 7240, section 2); None without a readable one."""
    preferences = [text.strip() for text in _PREFERENCE.findall(prefer)]
    wait = next(filter(None, map(_WAIT.fullmatch, preferences)), None)
    found = _SECONDS.fullmatch((wait["value"] or "").strip()) if wait else None
    if not found:
        return None
    seconds = found["digits"].lstrip("0")
    return WAIT_MAX_S if len(seconds) > 2 else min(int(seconds or 0), WAIT_MAX_S)

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
            "`wait=N`: the answer comes once the order is decided, or after N seconds. An N above"
            f" {WAIT_MAX_S} counts as {WAIT_MAX_S}. An answer that honours the preference has the header"
            " `Preference-Applied`. An unreadable value is ignored (RFC 7240)."
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
    """The seconds of the header's first `wait` (RFC 7240, section 2); None if it is absent or unreadable."""
    preferences = [text.strip() for text in _PREFERENCE.findall(prefer)]
    wait = next(filter(None, map(_WAIT.fullmatch, preferences)), None)
    found = _SECONDS.fullmatch((wait["value"] or "").strip()) if wait else None
    if not found:
        return None
    seconds = found["digits"].lstrip("0")
    return WAIT_MAX_S if len(seconds) > 2 else min(int(seconds or 0), WAIT_MAX_S)

"""`Prefer: wait=N` (RFC 7240)."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated

from litestar.openapi.spec import Example
from litestar.params import HeaderParameter

from gateway.adapters.inbound.answers import answer_of
from gateway.application.hub import Hub
from gateway.application.place_orders import PlaceOrders
from gateway.domain.orders import Change, Placed, PlaceOrder
from kernel.adapters.http.headers import PREFERENCE_APPLIED
from kernel.domain.errors import ShopError
from kernel.ports.answer import Answer

WAIT_MAX_S = 30

Prefer = Annotated[
    str | None,
    HeaderParameter(
        name="Prefer",
        description=(
            f"`wait=N`: answer once the order is decided, after N seconds at the latest; above {WAIT_MAX_S}"
            f" counts as {WAIT_MAX_S}. `Preference-Applied` tells that it was honoured. What cannot be read"
            " is ignored (RFC 7240)."
        ),
        examples=[Example(value="wait=10")],
    ),
]

# One preference among several: they are separated by commas, which a quoted value may hold too. A value that
# is not closed goes on to the end: trying again behind each quote would hold the loop for seconds.
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.?)*"?)+', re.DOTALL)
_WAIT = re.compile(r"wait\s*(?:=(?P<value>[^;]*))?(?:;.*)?", re.IGNORECASE | re.DOTALL)
_SECONDS = re.compile(r'(?P<quote>"?)(?P<digits>[0-9]+)(?P=quote)')

Left = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)


def wait_s(prefer: str) -> int | None:
    """The seconds to wait; None where none can be read in the header.

    Of several waits the first one counts (RFC 7240, section 2).
    """
    preferences = [text.strip() for text in _PREFERENCE.findall(prefer)]
    wait = next(filter(None, map(_WAIT.fullmatch, preferences)), None)
    found = _SECONDS.fullmatch((wait["value"] or "").strip()) if wait else None
    if not found:
        return None
    seconds = found["digits"].lstrip("0")
    return WAIT_MAX_S if len(seconds) > 2 else min(int(seconds or 0), WAIT_MAX_S)


async def as_preferred(
    order: PlaceOrder, prefer: str | None, place_orders: PlaceOrders, hub: Hub, left: Left
) -> Answer:
    """What became of the order: decided where the client preferred to wait for that, and a header says so.

    `left` returns once the client has left, which ends the wait.
    """
    seconds = wait_s(prefer) if prefer else None
    if seconds is not None:
        await hub.listen()
    (fate,) = await place_orders([order])
    if seconds is None or not isinstance(fate, Placed):
        return answer_of(fate)
    try:
        decided = None if fate.decided else await _decided(fate, hub, seconds, left)
    except ShopError as error:  # The order is placed, whatever becomes of the wait.
        logger.warning("a preference to wait was not applied: %s", error)
        return answer_of(fate)
    answer = answer_of(replace(fate, order=decided.order) if decided else fate)
    return replace(answer, headers={**answer.headers, PREFERENCE_APPLIED: f"wait={seconds}"})


async def _decided(placed: Placed, hub: Hub, within_s: float, left: Left) -> Change | None:
    waiting = asyncio.ensure_future(hub.decided(placed, within_s=within_s))
    leaving = asyncio.ensure_future(left())
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        waiting.cancel()
        leaving.cancel()

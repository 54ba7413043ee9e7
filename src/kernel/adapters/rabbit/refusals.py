"""Handles refusals of the broker: publishing pauses for the refused event type, and the reason is logged."""

import re
import time
from collections.abc import Sequence

from kernel.adapters.rabbit.urls import Denied
from kernel.application.trouble import Trouble
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope

REFUSED_S = 2.0


class Refusal:
    """A publish that the broker refused by closing the session. For REFUSED_S seconds, no event
    of the refused type is published, because every refusal closes the session for all event types."""

    def __init__(self, reason: Unavailable) -> None:
        self._words = reason.detail
        self._until = time.monotonic() + REFUSED_S

    def require_none_of(self, envelopes: Sequence[Envelope]) -> None:
        """Raises Unavailable if one of the envelopes has a type that the broker's reason names."""
        if time.monotonic() < self._until and any(f"'{one.type}'" in self._words for one in envelopes):
            raise Unavailable(self._words, code="rabbitmq_unavailable")


def report(trouble: Trouble, error: Unavailable) -> None:
    """Logs that a broker refuses, with its reason, or that it is unreachable."""
    if isinstance(error, Denied):
        # The queue of a listening process gets a new random name at every try.
        kind = re.sub("[0-9a-f]{32}", "", error.detail)
        trouble.report(kind, error.detail.removeprefix("rabbitmq "))
    else:
        trouble.report("away", f"away: {error.detail.removeprefix('rabbitmq at ')}")

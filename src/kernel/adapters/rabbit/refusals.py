"""What a broker refuses, in its own words."""

import re
import time
from collections.abc import Sequence

from kernel.adapters.rabbit.urls import Denied
from kernel.application.trouble import Trouble
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope

REFUSED_S = 2.0


class Refusal:
    """The broker closes a session over a publish that it refuses. That type is not tried again at once, so
    that other types get published."""

    def __init__(self, reason: Unavailable) -> None:
        self._words = reason.detail
        self._until = time.monotonic() + REFUSED_S

    def require_none_of(self, envelopes: Sequence[Envelope]) -> None:
        """Raises Unavailable for a type that the broker named."""
        if time.monotonic() < self._until and any(f"'{one.type}'" in self._words for one in envelopes):
            raise Unavailable(self._words, code="rabbitmq_unavailable")


def report(trouble: Trouble, error: Unavailable) -> None:
    """Why a broker cannot be used: it is away, or it refuses, in words of its own."""
    if isinstance(error, Denied):
        # A queue of one process has another name at every try.
        kind = re.sub("[0-9a-f]{32}", "", error.detail)
        trouble.report(kind, error.detail.removeprefix("rabbitmq "))
    else:
        trouble.report("away", f"away: {error.detail.removeprefix('rabbitmq at ')}")

"""What happens when the broker refuses something: refused types pause, and the reason is logged."""

import re
import time
from collections.abc import Sequence

from kernel.adapters.rabbit.urls import Denied
from kernel.application.trouble import Trouble
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope

REFUSED_S = 2.0


class Refusal:
    """A publish that the broker refused by closing the session. The refused type is not published again for
    REFUSED_S, so that other types get through."""

    def __init__(self, reason: Unavailable) -> None:
        self._words = reason.detail
        self._until = time.monotonic() + REFUSED_S

    def require_none_of(self, envelopes: Sequence[Envelope]) -> None:
        """Raises Unavailable if one of the envelopes has a type that the broker's reason names."""
        if time.monotonic() < self._until and any(f"'{one.type}'" in self._words for one in envelopes):
            raise Unavailable(self._words, code="rabbitmq_unavailable")


def report(trouble: Trouble, error: Unavailable) -> None:
    """Logs why a broker cannot be used: it is unreachable, or it refuses, with the broker's own reason."""
    if isinstance(error, Denied):
        # The queue of a listening process has another name at every try.
        kind = re.sub("[0-9a-f]{32}", "", error.detail)
        trouble.report(kind, error.detail.removeprefix("rabbitmq "))
    else:
        trouble.report("away", f"away: {error.detail.removeprefix('rabbitmq at ')}")

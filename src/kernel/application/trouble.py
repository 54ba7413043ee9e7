"""Trouble with a server that the shop needs: in the log once a change, for as long as it lasts."""

import logging

from kernel.ports.clock import Clock

# Longer than the pauses between the tries of relays, jobs and supervisors.
QUIET_S = 5.0

logger = logging.getLogger(__name__)


class Trouble:
    """Begins when it is told, and ends when it was not told again for QUIET_S, or is known to be over."""

    def __init__(self, server: str, clock: Clock) -> None:
        """`server` names it for people."""
        self.server = server
        self._clock = clock
        self._told: set[str] = set()
        self._last = 0.0

    def tell(self, kind: str, words: str) -> None:
        """It happens now. The words are logged where they are the first of this kind."""
        self.settle()
        if kind not in self._told:
            self._told.add(kind)
            logger.warning("%s %s", self.server, words)
        self._last = self._clock.monotonic()

    @property
    def lasts(self) -> bool:
        return bool(self._told) and self._clock.monotonic() - self._last <= QUIET_S

    def settle(self) -> None:
        """Logs the end of what has ended. To be called now and then."""
        if not self.lasts:
            self.over()

    def over(self) -> None:
        if self._told:
            self._told.clear()
            logger.info("%s is back", self.server)

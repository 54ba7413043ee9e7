"""Logs trouble with a server that the shop needs: when it begins, each further kind, and when it ends."""

import logging

from kernel.ports.clock import Clock

# Longer than the pauses between the attempts of relays, jobs and supervisors.
QUIET_S = 5.0

logger = logging.getLogger(__name__)


class Trouble:
    """The trouble with one server. It begins with `report` and ends with `over`."""

    def __init__(self, server: str, clock: Clock, *, ends_quietly: bool = True) -> None:
        """`server` is the server's name in log lines. With `ends_quietly`, trouble also ends QUIET_S after
        the last `report`. This is wrong for a server that is seldom asked, because it is seldom reported
        on."""
        self.server = server
        self._clock = clock
        self._ends_quietly = ends_quietly
        self._reported: set[str] = set()
        self._last = 0.0

    def report(self, kind: str, words: str) -> None:
        """Reports that something fails now. Logs `words` if they are the first of this kind."""
        self.settle()
        if kind not in self._reported:
            self._reported.add(kind)
            logger.warning("%s %s", self.server, words)
        self._last = self._clock.monotonic()

    @property
    def lasts(self) -> bool:
        is_quiet = self._clock.monotonic() - self._last > QUIET_S
        return bool(self._reported) and not (is_quiet and self._ends_quietly)

    def settle(self) -> None:
        """Logs the end of the trouble, if it has ended. Must be called regularly."""
        if not self.lasts:
            self.over()

    def over(self) -> None:
        if self._reported:
            logger.info("%s is back", self.server)
        self.leave_to_others()

    def leave_to_others(self) -> None:
        """Ends the trouble without a log line: another object reports on the same server from now on."""
        self._reported.clear()

"""Logs trouble with a server that the shop needs: its beginning, each further kind, and its end."""

import logging

from kernel.ports.clock import Clock

# Longer than the pauses between the attempts of relays, jobs and supervisors.
QUIET_S = 5.0

logger = logging.getLogger(__name__)


class Trouble:
    """Begins with `report`. It ends with `over`, or QUIET_S after the last `report` if it `ends_quietly`."""

    def __init__(self, server: str, clock: Clock, *, ends_quietly: bool = True) -> None:
        """`server` is its name in log lines. `ends_quietly` is wrong for a server that is asked only now and
        then: that nothing is reported does not mean that it answers."""
        self.server = server
        self._clock = clock
        self._ends_quietly = ends_quietly
        self._reported: set[str] = set()
        self._last = 0.0

    def report(self, kind: str, words: str) -> None:
        """Something fails now. `words` are logged if they are the first of this kind."""
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
        """Logs the end, if the trouble has ended. Has to be called now and then."""
        if not self.lasts:
            self.over()

    def over(self) -> None:
        if self._reported:
            logger.info("%s is back", self.server)
        self.leave_to_others()

    def leave_to_others(self) -> None:
        """Ends without a log line: another object reports on the same server from now on."""
        self._reported.clear()

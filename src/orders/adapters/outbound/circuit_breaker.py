from kernel.ports.clock import Clock

OPEN_S = 1.0


class CircuitBreaker:
    """After a failure, is open for `OPEN_S` seconds. Callers do not call the service while it is open."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open_until = float("-inf")

    @property
    def is_open(self) -> bool:
        return self._clock.monotonic() < self._open_until

    def trip(self) -> None:
        self._open_until = self._clock.monotonic() + OPEN_S

"""Limits the number of all connections of a server, and the bytes that all of them hold together."""

import asyncio
import logging
import resource
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from kernel.adapters.http.server.limits import Limits
from kernel.adapters.networks import subscriber_of

if TYPE_CHECKING:
    from kernel.adapters.http.server.connection import Connection

# File descriptors reserved for databases, brokers and files. Refused connections may use half of them.
DESCRIPTORS_KEPT = 64
# The most refused connections that stay open for some time, so that their clients can read the reason.
REFUSED_MAX = 256
_SWEEP_S_MAX = 1.0

logger = logging.getLogger(__name__)


def _descriptors() -> tuple[float, int]:
    """The number of file descriptors that this process may have, and the number of reserved ones."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return inf, DESCRIPTORS_KEPT
    return most, min(DESCRIPTORS_KEPT, most // 4)


def nobody(_: str) -> bool:
    return False


class ConnectionLimiter:
    def __init__(self, limits: Limits, uncapped: Callable[[str], bool] = nobody) -> None:
        """`uncapped` tells whether an address may have any number of connections."""
        self.limits = limits
        self.draining = False
        """Whether every answer ends its connection, because the server stops."""
        self.held_bytes = 0
        self._connections: dict[Connection, str] = {}
        self._refused: set[Connection] = set()
        self._of_subscriber: Counter[str] = Counter()
        self._uncapped = uncapped
        self._descriptors_ran_out = False

    def admit(self, connection: "Connection", address: str, descriptor: int) -> str | None:
        """Counts the connection. Returns the reason if the connection is refused, else None."""
        subscriber = subscriber_of(address)
        why = self._why_not(address, subscriber, descriptor)
        if why is None:
            self._connections[connection] = subscriber
            self._of_subscriber[subscriber] += 1
        else:
            self._refused.add(connection)
            most, kept = _descriptors()
            if len(self._refused) > REFUSED_MAX or descriptor >= most - kept // 2:
                connection.abort()
        return why

    def leave(self, connection: "Connection") -> None:
        self._refused.discard(connection)
        subscriber = self._connections.pop(connection, None)
        if subscriber is not None:
            self._of_subscriber[subscriber] -= 1
            if not self._of_subscriber[subscriber]:
                del self._of_subscriber[subscriber]

    def _why_not(self, address: str, subscriber: str, descriptor: int) -> str | None:
        if self._descriptors_run_out(descriptor):
            return "this process has no more file descriptors for connections"
        if len(self._connections) >= self.limits.connections:
            return "there are too many connections"
        most = self.limits.connections_per_address
        if most is not None and self._of_subscriber[subscriber] >= most and not self._uncapped(address):
            return "there are too many connections from this address"
        return None

    def _descriptors_run_out(self, descriptor: int) -> bool:
        """Whether few descriptors are left. A new descriptor gets the lowest free number, so this number
        tells how many are open. If no descriptor is left, uvloop drops connections silently, and asyncio logs
        each one. Here one line is logged, and the next line only after descriptors were free again.
        """
        most, kept = _descriptors()
        run_out = descriptor >= most - kept
        if run_out and not self._descriptors_ran_out:
            logger.error("connections are refused: %d of %.0f file descriptors are open", descriptor, most)
            self._descriptors_ran_out = True
        elif descriptor < most - 2 * kept:
            self._descriptors_ran_out = False
        return run_out

    @property
    def is_full(self) -> bool:
        return self.held_bytes > self.limits.held_bytes

    def make_room(self) -> None:
        """Ends the connections with the most spare bytes, so that small requests still pass."""
        while self.is_full:
            largest = max(self._connections, key=lambda one: one.spare_bytes, default=None)
            if largest is None or not largest.spare_bytes:
                return
            largest.shed()

    async def sweep(self) -> None:
        """Ends overdue connections. One task for all connections is cheaper than a timer for each request."""
        limits = self.limits
        shortest_s = min(
            limits.head_within_s, limits.body_within_s, limits.idle_s, limits.taken_within_s, limits.linger_s
        )
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_SWEEP_S_MAX, shortest_s / 4))
            now = loop.time()
            for connection in (*self._connections, *self._refused):
                connection.check(now)

"""Ports for servers that come and go."""

import random
import socket

# Below the range of outgoing connections (32768 and up on Linux): while a server of that range is down, the
# reconnects of its own clients can take its port, and even connect to themselves.
RANGE = range(20_000, 32_000)

_given: set[int] = set()


def free_port() -> int:
    """Returns a port that no program uses. This process never returns the same port twice."""
    for port in random.SystemRandom().sample(RANGE, 1000):
        with socket.socket() as probe:
            if port not in _given and probe.connect_ex(("127.0.0.1", port)) != 0:
                _given.add(port)
                return port
    raise RuntimeError(f"no free port between {RANGE.start} and {RANGE.stop}")

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, cast

import uvicorn
from litestar.types import ASGIApp

from kernel.adapters.http.middleware.answer_headers import CONSTANT, start_answers
from kernel.adapters.http.middleware.cut_off import answer_cut_off
from kernel.adapters.http.middleware.head import answer_head
from kernel.adapters.http.middleware.options import answer_options
from kernel.adapters.http.server.connection import Connection
from kernel.adapters.http.server.connection_limiter import ConnectionLimiter, nobody
from kernel.adapters.http.server.limits import Limits
from kernel.domain.errors import Unavailable

# After `stop`, requests are still taken for this time, and every answer ends its connection. Services keep
# idle connections to each other for a shorter time, so that they send no request on a connection that closes.
LULL_S = 2.0
CLIENT_KEEP_ALIVE_S = 1.0
GRACE_S = 4
_LULL_CHECK_S = 0.02
_TICK_S = 1.0
# A silent connection is probed after 30 s. It is dropped if sent bytes stay unacknowledged for 30 s.
_SILENCE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 30_000}


class HttpServer(uvicorn.Server):
    """uvicorn on a socket that we opened. The process handles signals, not this server.

    uvicorn starts, accepts connections and stops. `Connection` is its protocol class.
    """

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        limits: Limits | None = None,
        uncapped: Callable[[str], bool] = nobody,
    ) -> None:
        """`uncapped` tells whether an address may have any number of connections, as a trusted proxy may."""
        self._limiter = ConnectionLimiter(limits or Limits(), uncapped)
        super().__init__(
            uvicorn.Config(
                start_answers(answer_cut_off(answer_head(answer_options(app)))),
                interface="asgi3",
                loop="none",
                http=cast(Any, partial(Connection, self._limiter)),
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                headers=CONSTANT,
                proxy_headers=False,  # our own middleware does that (middleware/proxies.py)
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._listener = listener
        self._ends = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Renews the header Date of answers once a second, until `run_until` ends. uvicorn's own loop would
        wake ten times a second."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._ends.wait()

    async def run_until(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set. Then ends idle connections, and finishes the requests in progress."""
        serving = asyncio.create_task(self.serve(sockets=[self._listener]))
        stopping = asyncio.create_task(stop.wait())
        sweeping = asyncio.create_task(self._limiter.sweep())
        try:
            await asyncio.wait({serving, stopping, sweeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await self._drain()
            self.should_exit = True
            self._ends.set()
            await serving
            if not sweeping.done():
                sweeping.cancel()
        if sweeping.done():
            await sweeping

    async def _drain(self) -> None:
        self._limiter.draining = True
        for connection in self.server_state.connections:
            if isinstance(connection, Connection) and connection.is_answering:
                connection.cycle.keep_alive = False
        deadline = time.monotonic() + LULL_S
        while self.server_state.connections and time.monotonic() < deadline:
            await asyncio.sleep(_LULL_CHECK_S)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. `::` includes IPv4 if the system can. Raises Unavailable with a one-line text."""
    family = _family(host)
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=both)
        _probe_silent_clients(listener)
        return listener
    except OSError as error:
        why = os.strerror(error.errno or 0)
        if error.errno == errno.EADDRNOTAVAIL:
            why = "this machine has no such address"
        raise Unavailable(f"cannot listen on {host}:{port}: {why}") from error


def _family(host: str) -> socket.AddressFamily:
    """The family of the host's addresses; IPv4 if the host has both. Raises Unavailable if it has none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Unavailable(f"cannot listen on {host}: no address is known by this name") from error
    families = {family for family, *_ in found}
    return socket.AF_INET if socket.AF_INET in families else socket.AF_INET6


def _probe_silent_clients(listener: socket.socket) -> None:
    """Detects clients whose machine or network is gone. Accepted sockets inherit these options."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, setting in _SILENCE.items():
        if hasattr(socket, name):  # Not every system has all of them.
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), setting)

import asyncio
import os
import re
import socket
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import uvicorn
from litestar.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kernel.adapters.http.cut_off import answer_cut_off
from kernel.adapters.http.head import answer_head
from kernel.adapters.http.joined_writes import JoiningHttp
from kernel.adapters.http.options import answer_options
from kernel.domain.errors import Unavailable

# Longer than any client's pool keeps an idle connection, or a POST meets a closing one.
KEEP_ALIVE_S = 75
# How long what still arrives is taken after `stop`. Every answer ends its connection then, and services keep
# an idle one among themselves for less, so that none of their requests can meet a closing connection.
LULL_S = 2.0
CLIENT_KEEP_ALIVE_S = 1.0
GRACE_S = 4
_LULL_CHECK_S = 0.02
_CLOSE = (b"connection", b"close")

_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)


class HttpServer(uvicorn.Server):
    """uvicorn on a socket of ours; the process, not the server, listens to signals."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                _keep_encoded_slashes(answer_cut_off(answer_head(answer_options(app)))),
                interface="asgi3",
                loop="none",
                http=JoiningHttp,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # nobody asks who the client is
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._listener = listener

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def run_until(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then send clients away, and finish what was begun."""
        serving = asyncio.create_task(self.serve(sockets=[self._listener]))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await self._send_away()
            self.should_exit = True
            await serving

    async def _send_away(self) -> None:
        self.config.encoded_headers.append(_CLOSE)  # from which the default headers are renewed
        self.server_state.default_headers.append(_CLOSE)
        for connection in self.server_state.connections:
            if isinstance(connection, HttpToolsProtocol) and connection.cycle is not None:
                connection.cycle.keep_alive = False
        deadline = time.monotonic() + LULL_S
        while self.server_state.connections and time.monotonic() < deadline:
            await asyncio.sleep(_LULL_CHECK_S)


def _keep_encoded_slashes(app: ASGIApp) -> ASGIApp:
    """An encoded slash is data, not a separator (RFC 3986, section 2.2); uvicorn decodes the whole path."""

    def with_slashes(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        raw_path: bytes = scope.get("raw_path", b"")
        if b"%2" in raw_path:
            segments = _ENCODED_SLASH.split(raw_path.decode("latin-1"))
            scope["path"] = "%2F".join(map(unquote, segments))
        return app(scope, receive, send)

    return with_slashes


def listen(host: str, port: int) -> socket.socket:
    """Raises Unavailable in one clear line where the port is taken."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except socket.gaierror as error:
        raise Unavailable(f"cannot listen on {host}: {error.strerror}") from error
    except OSError as error:
        raise Unavailable(f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}") from error

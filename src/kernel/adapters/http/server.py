import asyncio
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import uvicorn
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.http.head import answer_head
from kernel.domain.errors import Unavailable

# Longer than any client's pool keeps an idle connection (the gateway's: 15 s), or a POST meets a closing one.
KEEP_ALIVE_S = 75
GRACE_S = 4

_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)


class HttpServer(uvicorn.Server):
    """uvicorn on a socket of ours; the process, not the server, listens to signals."""

    def __init__(self, app: Litestar, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                _keep_encoded_slashes(answer_head(app)),
                loop="none",
                http="httptools",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._listener = listener

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def run_until(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then finish what was begun."""
        serving = asyncio.create_task(self.serve(sockets=[self._listener]))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            self.should_exit = True
            await serving


def _keep_encoded_slashes(app: ASGIApp) -> ASGIApp:
    """An encoded slash is data, not a separator (RFC 3986, section 2.2); uvicorn decodes the whole path."""

    async def with_slashes(scope: Scope, receive: Receive, send: Send) -> None:
        raw_path: bytes = scope.get("raw_path", b"")
        if b"%2" in raw_path:
            segments = _ENCODED_SLASH.split(raw_path.decode("latin-1"))
            scope["path"] = "%2F".join(map(unquote, segments))
        await app(scope, receive, send)

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

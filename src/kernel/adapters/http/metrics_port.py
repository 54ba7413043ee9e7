"""Serves the metrics on a separate port that needs no token, for the internal network."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, get
from litestar.exceptions import NotFoundException

from kernel.adapters.http.conventions.problem import exception_handlers
from kernel.adapters.http.health import FIGURES
from kernel.adapters.http.parsing.query import plain_query
from kernel.adapters.http.server.server import HttpServer, listen

Exposition = Callable[[], Awaitable[bytes]]


class MetricsPort:
    """Serves the metrics of all services in this process, with one path for each service."""

    def __init__(self) -> None:
        self._shown: dict[str, Exposition] = {}

    def show(self, path: str, exposition: Exposition) -> None:
        """`path` is `/metrics`, or `/metrics/{service}` if there are several services."""
        self._shown[path] = exposition

    @asynccontextmanager
    async def open(self, host: str, port: int | None, stop: asyncio.Event) -> AsyncIterator[None]:
        """Serves the metrics until `stop` is set or the block ends. If `port` is None, it serves nothing.

        Raises Unavailable, with a text of one line, if it cannot listen on the port.
        """
        if port is None:
            yield
            return
        with listen(host, port) as listener:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(HttpServer(self._app(), listener).run_until(stop))
                yield
                if not stop.is_set():
                    serving.cancel()

    def _app(self) -> Litestar:
        @get(["/metrics", "/metrics/{service:str}"], media_type=FIGURES)
        async def show(request: Request[Any, Any, Any]) -> bytes:
            exposition = self._shown.get(request.scope["path"])
            if exposition is None:
                raise NotFoundException()
            return await exposition()

        return Litestar(
            [show],
            openapi_config=None,
            before_request=plain_query,
            exception_handlers=exception_handlers(),
            logging_config=None,
        )

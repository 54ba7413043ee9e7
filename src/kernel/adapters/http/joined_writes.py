"""One packet an answer: uvicorn writes head and body apart, each by a system call that wakes the client."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

JOINED_BYTES_MAX = 16 * 1024
JOINED_WRITES_MAX = 4


class JoiningTransport(asyncio.Transport):
    """Passes on together what is written within one turn of the event loop; `transport` does the rest."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._call_soon = asyncio.get_running_loop().call_soon
        self._waiting: list[Any] = []

    def write(self, data: Any) -> None:
        if not self._waiting:
            self._call_soon(self._flush)
        self._waiting.append(data)
        # A long answer has to feel that its reader is slow.
        if len(data) > JOINED_BYTES_MAX or len(self._waiting) > JOINED_WRITES_MAX:
            self._flush()

    def _flush(self) -> None:
        if self._waiting and not self._transport.is_closing():
            self._transport.write(b"".join(self._waiting))
        self._waiting.clear()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()


class JoiningHttp(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(JoiningTransport(transport))

"""A load balancer like a Kubernetes Service: it chooses a replica per connection, and never retries."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.servers.cable import Cable
from tests.servers.process import answers_ready

CHECK_S = 0.05


class Balancer(Cable):
    """Forwards each new connection to the next replica whose readiness check succeeded."""

    def __init__(self, replicas: Sequence[str]) -> None:
        super().__init__(replicas[0])
        self.ready: list[str] = []
        self._replicas = replicas
        self._leaving: set[str] = set()

    def take_out(self, replica: str) -> None:
        """Sends the replica no more connections, as Kubernetes does before it stops a pod."""
        self._leaving.add(replica)
        self.ready = [url for url in self.ready if url != replica]

    def take_back(self, replica: str) -> None:
        self._leaving.discard(replica)

    async def __aenter__(self) -> Self:
        self._checking = asyncio.create_task(self._check())
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._checking.cancel()
        with suppress(asyncio.CancelledError):
            await self._checking
        await super().__aexit__(kind, error, trace)

    async def _check(self) -> None:
        """Marks replicas as ready. A ready replica stays in use until `take_out`, even if it is slow."""
        while True:
            for url in set(self._replicas) - self._leaving - set(self.ready):
                if await answers_ready(url) and url not in self._leaving:
                    self.ready.append(url)
            await asyncio.sleep(CHECK_S)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.ready:
            writer.transport.abort()
            return
        self.ready.append(self.ready.pop(0))
        self.lead_to(self.ready[-1])
        await super()._connect(reader, writer)

"""A balancer before replicas, as a Service of Kubernetes is one: by connection, and without a second try."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.servers.cable import Cable
from tests.servers.process import answers_ready

CHECK_S = 0.05


class Balancer(Cable):
    """Leads each new connection to the next replica that calls itself ready."""

    def __init__(self, replicas: Sequence[str]) -> None:
        super().__init__(replicas[0])
        self.ready: list[str] = []
        self._replicas = replicas
        self._leaving: set[str] = set()

    def take_out(self, replica: str) -> None:
        """Takes a replica out, as Kubernetes does with a pod that is to end before it tells the pod."""
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
        """Once ready, a replica stays so until it is taken out: a slow answer does not matter."""
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

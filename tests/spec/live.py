"""A reader of server-sent events, as browsers read them."""

import asyncio
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp

from tests.spec.scenario import Answer


@dataclass
class Stream:
    """The events of an order, over one stream after another: (id, data) of each, in order."""

    session: aiohttp.ClientSession
    order_id: str
    events: list[tuple[str, Any]] = field(default_factory=list)
    comments: int = 0
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def last_id(self) -> str | None:
        return self.events[-1][0] if self.events else None

    @property
    def statuses(self) -> list[str]:
        return [order["status"] for _, order in self.events]

    async def read(
        self, orders_url: str, *, events_max: int | None = None, last_id: str | None = None
    ) -> Answer:
        """Reads on from the last event until the stream ends, or is cut here after so many events."""
        url = f"{orders_url}/{self.order_id}/events"
        last_id = last_id or self.last_id
        headers = {"Last-Event-ID": last_id} if last_id else {}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        async with self.session.get(url, headers=headers, timeout=timeout) as answer:
            if answer.status == 204:
                return Answer(url, 204, answer.headers, await answer.read())
            assert answer.status == 200, await answer.text()
            assert answer.headers["Content-Type"].split(";")[0] == "text/event-stream"
            self.opened.set()
            count = 0
            while (events_max is None or count < events_max) and (block := await _block(answer.content)):
                count += self._take(block)
            return Answer(url, 200, answer.headers, b"")

    def _take(self, block: list[str]) -> bool:
        """Whether the block is an event, and not a comment."""
        if all(line.startswith(":") for line in block):
            self.comments += 1
            return False
        fields = dict(line.split(": ", 1) for line in block)
        assert fields.keys() == {"event", "id", "data"}
        assert fields["event"] == "status"
        self.events.append((fields["id"], json.loads(fields["data"], parse_float=Decimal)))
        return True


async def _block(content: aiohttp.StreamReader) -> list[str]:
    """The lines up to the next empty one; none at the end of the stream."""
    lines: list[str] = []
    while line := await content.readline():
        if line == b"\n":
            return lines
        lines.append(line.decode().rstrip("\n"))
    assert not lines, f"cut off in the middle: {lines}"
    return lines

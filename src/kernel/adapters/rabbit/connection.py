"""One connection with one channel, through a FastStream broker of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar, cast

from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq import Channel as UnderlyingChannel
from faststream.rabbit import Channel, RabbitBroker
from yarl import URL

from kernel.adapters.rabbit.urls import away
from kernel.domain.errors import Unavailable

HEARTBEAT_S = 5
HANDSHAKE_S = 2.0
ANSWER_S = 5.0
_LOOK_S = 3.0
_LEFTOVERS_S = 30.0
_NEVER_S = 10 * 365 * 86_400.0

T = TypeVar("T")
Prepare = Callable[[RabbitBroker], Awaitable[AbstractChannel]]

# An absent broker is told by us, in one line. The libraries tell it many times over, with tracebacks.
for _library in ("aiormq", "aio_pika"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)


class RabbitConnection:
    """Lives once: what is lost is not repaired here, RabbitBus builds anew instead.

    The libraries' own recovery is kept asleep: it can bring a connection back without its consumer
    (https://github.com/ag2ai/faststream/issues/2758), and it knows one address only.
    """

    def __init__(
        self, url: URL, name: str, channel: Channel, *, grace_s: float, on_lost: Callable[[Unavailable], None]
    ) -> None:
        self.broker = RabbitBroker(
            url.update_query(heartbeat=HEARTBEAT_S, name=name),
            timeout=HANDSHAKE_S,
            reconnect_interval=_NEVER_S,
            on_close=[self._on_close],
            default_channel=channel,
            graceful_timeout=grace_s,
            logger=None,
            apply_types=False,
        )
        self._url = url
        self._on_lost = on_lost
        self._connection: AbstractConnection | None = None
        self._channel: UnderlyingChannel | None = None
        self._unanswered: set[asyncio.Task[Any]] = set()

    async def open(self, prepare: Prepare, *, within_s: float) -> None:
        """Connect and `prepare` the broker, which answers with the channel to watch. Raises Unavailable."""
        await self._answer(self._open(prepare), within_s)

    async def _open(self, prepare: Prepare) -> None:
        self._connection = await self.broker.connect()
        channel = await prepare(self.broker)
        self._channel = cast(UnderlyingChannel, await channel.get_underlay_channel())
        self._channel.closing.add_done_callback(self._on_channel_closed)

    @property
    def is_open(self) -> bool:
        return self._channel is not None and not self._channel.is_closed

    @property
    def is_blocked(self) -> bool:
        """Whether the broker takes nothing from this connection, as while it is short of memory or disk."""
        if self._channel is None:
            return False
        # aiormq shows a block only by making `ready` wait.
        waiting = self._channel.connection.ready()
        try:
            waiting.send(None)
        except StopIteration:
            return False
        waiting.close()
        return True

    @property
    def consumers(self) -> int:
        """Without those that the broker cancelled, as it does when a queue is deleted."""
        return len(self._channel.consumers) if self._channel is not None and self.is_open else 0

    async def ask(self, question: Callable[[UnderlyingChannel], Coroutine[Any, Any, T]]) -> T:
        """A round trip to the broker: raises Unavailable where it fails, or what was asked for is gone."""
        if self._channel is None:
            raise Unavailable("not connected")
        return await self._answer(question(self._channel), _LOOK_S)

    async def pause(self) -> None:
        """Cancel the consumers. What was delivered is in hand: its handlers go on, and acknowledge it."""
        await self._answer(self._cancel(), ANSWER_S)

    async def resume(self) -> None:
        await self._answer(self._resume(), ANSWER_S)

    async def _resume(self) -> None:
        for subscriber in self.broker.subscribers:
            await subscriber.start()

    async def stop(self, *, within_s: float) -> None:
        """Cancel the consumer first, then wait for the handlers, or the broker would send on meanwhile."""
        await self._answer(self._stop(), within_s)

    async def _cancel(self) -> None:
        if self._channel is not None:
            for tag in list(self._channel.consumers):
                await self._channel.basic_cancel(tag)

    async def _stop(self) -> None:
        await self._cancel()
        for subscriber in self.broker.subscribers:
            await subscriber.stop()

    async def close(self) -> None:
        """Running handlers are cut off here; what they did not acknowledge is delivered again."""
        if self._connection is None and self._unanswered:
            await asyncio.wait(self._unanswered, timeout=_LEFTOVERS_S)
        # The connection first: the broker alone would wait once more for the handlers.
        if self._connection is not None:
            await asyncio.gather(self._connection.close(), return_exceptions=True)
        await asyncio.gather(self.broker.stop(), return_exceptions=True)

    async def _answer(self, work: Coroutine[Any, Any, T], within_s: float) -> T:
        """The result of library work, or Unavailable.

        The work has a task of its own, since aiormq ends what waits on a lost connection with a
        CancelledError, which must not look like a cancellation of ours; and it is never cancelled by us,
        since a connect that is cancelled half-way leaves its connection behind: `close` sees to the rest.
        """
        task = asyncio.create_task(work)
        self._unanswered.add(task)
        task.add_done_callback(self._answered)
        done, _ = await asyncio.wait({task}, timeout=within_s)
        if not done:
            raise away(self._url, TimeoutError())
        if task.cancelled():
            raise away(self._url, ConnectionError("connection lost"))
        error = task.exception()
        if error is not None:
            raise away(self._url, error) from error
        return task.result()

    @classmethod
    async def open_at_any(
        cls,
        urls: Sequence[URL],
        name: str,
        prepare: Callable[[RabbitBroker], Awaitable[AbstractChannel]],
    ) -> Self:
        """A connection to the first broker that takes it. Raises Unavailable with what the last one says."""
        *others, last = urls
        for url in others:
            with suppress(Unavailable):
                return await cls._visit(url, name, prepare)
        return await cls._visit(last, name, prepare)

    @classmethod
    async def _visit(
        cls, url: URL, name: str, prepare: Callable[[RabbitBroker], Awaitable[AbstractChannel]]
    ) -> Self:
        connection = cls(url, name, Channel(), grace_s=0, on_lost=lambda _: None)
        try:
            await connection.open(prepare, within_s=ANSWER_S)
        except BaseException:
            await connection.close()
            raise
        return connection

    def _answered(self, task: asyncio.Task[Any]) -> None:
        self._unanswered.discard(task)
        if not task.cancelled():
            task.exception()  # Looked at, so that asyncio does not report it as never retrieved.

    def _on_close(self, _: AbstractConnection | None, error: BaseException | None, /) -> None:
        self._on_lost(away(self._url, error or ConnectionError("connection closed")))

    def _on_channel_closed(self, closing: asyncio.Future[Any]) -> None:
        """The broker closes a channel over what it refuses there, and says why."""
        if not closing.cancelled() and (error := closing.exception()) is not None:
            self._on_lost(away(self._url, error))

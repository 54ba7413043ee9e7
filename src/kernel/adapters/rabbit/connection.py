"""One connection to RabbitMQ with one channel. Each connection has its own FastStream broker object."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

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

# We log an absent broker in one line. The libraries would log it many times over, with tracebacks.
for _library in ("aiormq", "aio_pika"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)


class RabbitConnection:
    """A connection that does not reconnect. When it is lost, its owner opens a new connection.

    A very long interval switches off the recovery of the libraries. That recovery can restore a connection
    without its consumer (https://github.com/ag2ai/faststream/issues/2758), and knows only one address.
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
        """Connects, and calls `prepare`, which returns the channel to watch. Raises Unavailable."""
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
        """Whether the broker blocks publishing on this connection, because it is short of memory or disk."""
        if self._channel is None:
            return False
        # aiormq shows a block only in `ready`, which then waits.
        waiting = self._channel.connection.ready()
        try:
            waiting.send(None)
        except StopIteration:
            return False
        waiting.close()
        return True

    @property
    def consumers(self) -> int:
        """The number of consumers on the channel. The broker cancels a consumer when its queue is deleted."""
        return len(self._channel.consumers) if self._channel is not None and self.is_open else 0

    async def ask(self, question: Callable[[UnderlyingChannel], Coroutine[Any, Any, T]]) -> T:
        """Returns the broker's answer. Raises Unavailable after 3 s, and if the queue or exchange is gone."""
        if self._channel is None:
            raise Unavailable("not connected")
        return await self._answer(question(self._channel), _LOOK_S)

    async def pause(self) -> None:
        """Cancels the consumers. Running handlers finish, and acknowledge the messages they have received."""
        await self._answer(self._cancel(), ANSWER_S)

    async def resume(self) -> None:
        await self._answer(self._resume(), ANSWER_S)

    async def _resume(self) -> None:
        for subscriber in self.broker.subscribers:
            await subscriber.start()

    async def stop(self, *, within_s: float) -> None:
        """Cancels the consumers, so that the broker sends no more messages, then waits for the handlers."""
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
        """Closes the connection and cancels running handlers. Unacknowledged messages are delivered again."""
        if self._connection is None and self._unanswered:
            await asyncio.wait(self._unanswered, timeout=_LEFTOVERS_S)
        # The connection is closed first, because `broker.stop` alone would wait for the handlers once more.
        if self._connection is not None:
            await asyncio.gather(self._connection.close(), return_exceptions=True)
        await asyncio.gather(self.broker.stop(), return_exceptions=True)

    async def _answer(self, work: Coroutine[Any, Any, T], within_s: float) -> T:
        """Runs a call of the library. Raises Unavailable if the call fails or takes longer than `within_s`.

        The call runs in its own task. When a connection is lost, aiormq raises CancelledError in the waiting
        calls; without the task, this would look like a cancellation of the caller. The task is never
        cancelled, because a connect that is cancelled half-way leaks its connection. `close` waits for it.
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

    def _answered(self, task: asyncio.Task[Any]) -> None:
        self._unanswered.discard(task)
        if not task.cancelled():
            task.exception()  # Retrieved, so that asyncio does not log it as never retrieved.

    def _on_close(self, _: AbstractConnection | None, error: BaseException | None, /) -> None:
        self._on_lost(away(self._url, error or ConnectionError("connection closed")))

    def _on_channel_closed(self, closing: asyncio.Future[Any]) -> None:
        """The broker closes a channel to refuse a call. The future's exception holds the broker's reason."""
        if not closing.cancelled() and (error := closing.exception()) is not None:
            self._on_lost(away(self._url, error))

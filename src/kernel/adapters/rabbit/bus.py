"""A service's bus on RabbitMQ. The bus holds one session, and replaces the session when it is lost."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from kernel.adapters.rabbit.connection import ANSWER_S
from kernel.adapters.rabbit.refusals import Refusal, report
from kernel.adapters.rabbit.session import RabbitSession
from kernel.adapters.rabbit.urls import BrokerUrls, Denied
from kernel.adapters.system_clock import SystemClock
from kernel.application.backoff import Backoff
from kernel.application.trouble import Trouble
from kernel.contracts.messaging import Catalog
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Bury, Envelope, Handler

# A broker on a busy machine may need some seconds to answer, for example after a consumer was killed.
START_S = 10.0
CHECK_S = 1.0
GRACE_S = 4.0
_CLOSE_S = 3.0
_RETRY_S = 0.25
_TRY_S = 1.0
_BLOCKS = "blocks publishers: it is short of memory or disk"


class RabbitBus:
    """The bus of one service. `urls` are the nodes of one cluster; the bus connects to one of them."""

    def __init__(
        self, urls: Sequence[str], service: str, catalog: Catalog, *, grace_s: float = GRACE_S
    ) -> None:
        """`stop` gives running handlers `grace_s` seconds to end. Raises Invalid for a malformed URL."""
        self._urls = BrokerUrls(urls)
        self._service = service
        self._catalog = catalog
        self._grace_s = grace_s
        self._handler: Handler | None = None
        self._bury: Bury | None = None
        self._session: RabbitSession | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._discarded: set[asyncio.Task[None]] = set()
        self._trouble = Trouble("rabbitmq", SystemClock())
        self._refusal: Refusal | None = None
        self._blocked = False
        self._paused = False

    async def __aenter__(self) -> Self:
        """Opens a session. Raises Unavailable after 10 s of failures, and Denied at once for a refusal."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_S
        while self._session is None:
            try:
                self._session = await self._open(within_s=max(_TRY_S, deadline - loop.time()))
            except Unavailable as error:
                if isinstance(error, Denied) or loop.time() + _RETRY_S >= deadline:
                    await self.close()
                    raise
                await asyncio.sleep(_RETRY_S)
        self._supervisor = asyncio.create_task(self._supervise())
        return self

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        await self._publishing(*envelopes).publish(envelopes)

    async def notify(self, envelope: Envelope) -> bool:
        return await self._publishing(envelope).notify(envelope)

    def _publishing(self, *envelopes: Envelope) -> RabbitSession:
        if self._session is None or not self._session.is_intact(consuming=False):
            raise Unavailable("rabbitmq is away", code="rabbitmq_unavailable")
        if self._session.is_blocked:
            raise Unavailable(f"rabbitmq {_BLOCKS}", code="rabbitmq_unavailable")
        if self._refusal is not None:
            self._refusal.require_none_of(envelopes)
        return self._session

    async def subscribe(self, handler: Handler, bury: Bury | None = None) -> None:
        """Consumes messages with `handler`. Without `bury`, dead letters stay in the dead-letter queue."""
        if self._session is not None and not self._paused:
            with suppress(Unavailable):  # the supervisor tries again
                await self._session.consume(handler, bury)
        self._handler, self._bury = handler, bury

    async def pause(self) -> None:
        self._paused = True
        if self._session is not None:
            with suppress(Unavailable):  # the supervisor opens a new session
                await self._session.pause()

    async def resume(self) -> None:
        if self._paused and self._session is not None and self._handler is not None:
            with suppress(Unavailable):  # the supervisor opens a new session
                await self._session.resume(self._handler, self._bury)
        self._paused = False

    def consumers(self, event_type: str) -> Sequence[str]:
        return ()

    @property
    def system(self) -> str:
        return "rabbitmq"

    @property
    def healthy(self) -> bool:
        session = self._session
        return session is not None and session.is_intact(consuming=self._consumes) and not session.is_blocked

    @property
    def _consumes(self) -> bool:
        return self._handler is not None and not self._paused

    async def stop(self) -> None:
        self._handler = None
        if self._session is not None:
            with suppress(Unavailable):  # A lost session has nothing to stop.
                await self._session.stop()

    async def close(self) -> None:
        """Closes the connections. The broker then delivers unacknowledged messages to other consumers."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait({self._supervisor})
        self._discard()
        if self._discarded:
            _, pending = await asyncio.wait(self._discarded, timeout=_CLOSE_S)
            for task in pending:
                task.cancel()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self.close()

    async def _open(self, *, within_s: float) -> RabbitSession:
        """Opens a session with the first broker that accepts one. Raises Unavailable if no broker does."""
        refusals: list[Unavailable] = []
        for url in self._urls.now():
            session = RabbitSession(url, self._service, self._catalog, grace_s=self._grace_s)
            try:
                await session.open(within_s=within_s)
                if self._handler is not None and not self._paused:
                    await session.consume(self._handler, self._bury)
                return session
            except BaseException as error:
                self._discard(session)
                if not isinstance(error, Unavailable):
                    raise
                refusals.append(error)
        raise next((refusal for refusal in refusals if isinstance(refusal, Denied)), refusals[-1])

    async def _supervise(self) -> None:
        backoff = Backoff(SystemClock())
        while True:
            if self._session is None:
                try:
                    self._session = await self._open(within_s=ANSWER_S)
                except Unavailable as error:
                    report(self._trouble, error)
                    await backoff.wait()
                else:
                    if self._paused:
                        await self.pause()  # `pause` may have been called while the session was opened.
                    if self._refusal is None:
                        self._trouble.over()
            elif await self._is_lost(self._session):
                reason = self._session.reason
                report(self._trouble, reason)
                # The broker may refuse the next session at its first use, so the trouble does not end here.
                self._refusal = Refusal(reason) if isinstance(reason, Denied) else None
                self._discard()
                await backoff.wait()
            else:
                backoff.reset()
                self._watch(self._session)

    def _watch(self, session: RabbitSession) -> None:
        if session.is_blocked:
            self._trouble.report("blocked", _BLOCKS)
        elif self._blocked:
            self._trouble.over()
        else:
            self._trouble.settle()
        self._blocked = session.is_blocked
        self._refusal = self._refusal if self._trouble.lasts else None

    async def _is_lost(self, session: RabbitSession) -> bool:
        """Whether the session is lost. The broker is asked every second, to detect a half-open connection."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_S):
                await session.lost.wait()
        return not await session.answers(consuming=self._consumes)

    def _discard(self, session: RabbitSession | None = None) -> None:
        """Closes a session in the background, because closing a dead connection can take long."""
        if session is None:
            session, self._session = self._session, None
        if session is not None:
            task = asyncio.create_task(session.close())
            self._discarded.add(task)
            task.add_done_callback(self._discarded.discard)

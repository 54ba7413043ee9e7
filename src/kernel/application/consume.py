"""Hands the events of messages to a use case, each event once. Parks an event that cannot be handled."""

import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from kernel.application.backoff import Backoff, until_done
from kernel.application.group_commit import GroupCommit
from kernel.domain.errors import TEMPORARY, Contention, ShopError
from kernel.domain.events import Event, Received, Unhandled
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.parked import ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork

E = TypeVar("E", bound=Event)

logger = logging.getLogger(__name__)


@dataclass
class ParkMessage:
    """Claims an event in the inbox and parks it for an operator, in one transaction."""

    uow: UnitOfWork
    inbox: Inbox
    parked: ParkedMessages

    async def __call__(self, unhandled: Unhandled) -> None:
        async with self.uow:
            if await self.inbox.claim_message(unhandled.message):
                await self.parked.add([unhandled])


class Consumer(Generic[E]):
    """Handles the messages of a service. A call returns when all events are handled or parked."""

    def __init__(
        self,
        decode: Callable[[bytes], Sequence[Received[E] | Unhandled]],
        handle: Callable[[Sequence[Received[E]]], Awaitable[Sequence[Unhandled]]],
        park: Callable[[Unhandled], Awaitable[None]],
        clock: Clock,
        subject: str = "subject",
    ) -> None:
        """`handle` returns the events that it parked in its own transaction. Log lines give the id of an
        event's subject as `{subject}_id`."""
        self.decode = decode
        self._handle = handle
        self._park = park
        self._clock = clock
        self._subject = subject
        # The wait has no limit: a message that was refused would only be delivered again.
        self._group = GroupCommit(self._execute, clock, in_flight_max=1, wait_max_s=math.inf)

    async def __call__(self, body: bytes) -> None:
        await self.take(self.decode(body))

    async def take(self, decoded: Sequence[Received[E] | Unhandled]) -> None:
        unhandled = [item for item in decoded if isinstance(item, Unhandled)]
        unhandled += await self._handle_all([item for item in decoded if isinstance(item, Received)])
        for item in unhandled:
            self._log(item)
            await until_done(partial(self._park, item), self._clock)

    async def _execute(self, received: Sequence[Received[E]]) -> Sequence[None]:
        try:
            parked = await self._handle(received)
        except Contention:
            # Some of these events may have been handled already. With `again` the inbox leaves them out.
            parked = await self._handle([replace(item, again=True) for item in received])
        for item in parked:
            self._log(item)
        return [None] * len(received)

    async def _handle_all(self, received: Sequence[Received[E]]) -> list[Unhandled]:
        """Returns the events that cannot be handled, after all others have been handled. Waits while the
        database is away or busy; meanwhile the message stays unacknowledged."""
        backoff = Backoff(self._clock)
        unhandled: list[Unhandled] = []
        while received:
            outcomes = list(zip(received, await self._group.submit(received), strict=True))
            unhandled += [
                _unhandled(item, error)
                for item, error in outcomes
                if isinstance(error, Exception) and not isinstance(error, TEMPORARY)
            ]
            received = [item for item, error in outcomes if isinstance(error, TEMPORARY)]
            if received:
                await backoff.wait()
        return unhandled

    def _log(self, item: Unhandled) -> None:
        event = {"type": item.type, f"{self._subject}_id": item.subject, "traceparent": item.traceparent}
        logger.warning("parked: %s", item.reason, extra=event)


def _unhandled(received: Received[E], error: Exception) -> Unhandled:
    if isinstance(error, ShopError):
        return received.unhandled(error.code, error.detail)
    return received.unhandled("internal_error", f"{type(error).__name__}: {error}")

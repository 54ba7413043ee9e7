"""Parks dead letters, so that operators find all messages that could not be handled in one place."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kernel.application.backoff import Backoff
from kernel.domain.errors import TEMPORARY
from kernel.domain.events import Unhandled
from kernel.ports.bus import DeadLetter
from kernel.ports.clock import Clock

logger = logging.getLogger(__name__)


@dataclass
class BuryLetters:
    """Tries to park a dead letter until this succeeds. The bus keeps the letter until then.

    `park` claims the letter's death in the inbox, in the transaction that parks the letter. So a letter that
    is delivered again is counted once. An equal letter that died at another time is counted, too. The claim
    stays when the letter is replayed or discarded.
    """

    describe: Callable[[DeadLetter], Unhandled]
    park: Callable[[Unhandled], Awaitable[None]]
    clock: Clock

    async def __call__(self, letter: DeadLetter) -> None:
        item = self.describe(letter)
        logger.warning("parked a dead letter: %s", item.reason, extra={"type": item.type})
        backoff = Backoff(self.clock)
        while True:
            try:
                return await self.park(item)
            except TEMPORARY:
                await backoff.wait()
            except Exception:
                logger.exception("a dead letter could not be parked")
                await backoff.wait()

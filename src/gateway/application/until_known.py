import asyncio
from collections.abc import Awaitable, Callable

from kernel.application.backoff import Backoff
from kernel.application.group_commit import ANSWER_WITHIN_S
from kernel.domain.errors import OutcomeUnknown, Unavailable
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer


async def until_known(ask: Callable[[], Awaitable[HttpAnswer]], clock: Clock) -> HttpAnswer:
    """Repeats an idempotent change until its outcome is known, and returns the answer.

    Raises Unavailable if nothing was done, OutcomeUnknown if the outcome stayed unknown for 10 s.
    """
    backoff = Backoff(clock)
    lost: OutcomeUnknown | None = None
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while True:
                try:
                    answer = await ask()
                    # "Nothing was done" is about this call. An earlier call may have done it.
                    if lost is None or not answer.says_nothing_was_done:
                        return answer
                except OutcomeUnknown as error:
                    lost = error
                except Unavailable:
                    if lost is None:
                        raise
                await backoff.wait()
    except TimeoutError as error:
        raise lost or OutcomeUnknown("there was no answer in time") from error

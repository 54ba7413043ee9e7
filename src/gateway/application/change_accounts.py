import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from gateway.ports.accounts import AccountsService
from gateway.ports.answer import Answer
from kernel.application.backoff import Backoff
from kernel.domain.errors import OutcomeUnknown, Unavailable
from kernel.ports.clock import Clock

ANSWER_WITHIN_S = 10.0


class ChangeAccounts:
    """Opens accounts and tops them up. Without a client's key a change is asked for once and never again;
    with one, until it is known what became of it.

    Raises Unavailable where nothing was done, OutcomeUnknown where that stayed unknown for 10 s.
    """

    def __init__(self, accounts: AccountsService, clock: Clock) -> None:
        self.accounts = accounts
        self.clock = clock

    async def open(self, account: bytes, *, key: str | None, traceparent: str) -> Answer:
        ask = partial(self.accounts.open, account, key=key, traceparent=traceparent)
        return await (ask() if key is None else self._until_known(ask))

    async def deposit(self, user_id: str, deposit: bytes, *, key: str | None, traceparent: str) -> Answer:
        ask = partial(self.accounts.deposit, user_id, deposit, key=key, traceparent=traceparent)
        return await (ask() if key is None else self._until_known(ask))

    async def _until_known(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        backoff = Backoff(self.clock)
        lost: OutcomeUnknown | None = None
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                while True:
                    try:
                        answer = await ask()
                        # "Nothing was done" is said of this call, not of the one whose answer was lost.
                        if lost is None or answer.status != 503:
                            return answer
                    except OutcomeUnknown as error:
                        lost = error
                    except Unavailable:
                        if lost is None:
                            raise
                    await backoff.wait()
        except TimeoutError as error:
            raise lost or OutcomeUnknown("there was no answer in time") from error

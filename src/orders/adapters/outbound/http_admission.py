import logging
from collections.abc import Callable, Sequence

import aiohttp
import msgspec

from kernel.adapters import request_id
from kernel.adapters.http.server import CLIENT_KEEP_ALIVE_S
from kernel.adapters.trace_context import CURRENT, traceparent
from kernel.adapters.words import in_words
from kernel.contracts.values import decoder, encode
from kernel.domain.errors import Refused
from kernel.ports.clock import Clock
from orders.domain.order import PlaceOrder
from orders.wire import admission_question

ANSWER_WITHIN_S = 0.3
ASK_AGAIN_AFTER_S = 1.0

DETAILS = {
    "account_not_found": "the user has no account",
    "insufficient_funds": "the balance does not suffice for this order",
}

logger = logging.getLogger(__name__)


def open_session() -> aiohttp.ClientSession:
    """The connections of a whole process."""
    connector = aiohttp.TCPConnector(keepalive_timeout=CLIENT_KEEP_ALIVE_S)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


class HttpAdmission:
    """Asks the payments service once for a whole batch. Fails open: the payment has the last word.

    `unjudged` is told how many orders went by without an answer.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        payments_url: str,
        clock: Clock,
        unjudged: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._session = session
        self._url = f"{payments_url}/api/Admission"
        self._clock = clock
        self._unjudged = unjudged
        self._silent_until = float("-inf")
        self._is_silent = False

    async def judge(self, commands: Sequence[PlaceOrder]) -> Sequence[Refused | None]:
        if self._clock.monotonic() < self._silent_until:
            return self._let_pass(commands)
        try:
            reasons = await self._ask(commands)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, UnicodeDecodeError) as error:
            self._silent_until = self._clock.monotonic() + ASK_AGAIN_AFTER_S
            if not self._is_silent:
                self._is_silent = True
                logger.warning("payments does not judge orders: %s", in_words(error))
            return self._let_pass(commands)
        if self._is_silent:
            self._is_silent = False
            logger.info("payments judges orders again")
        return [Refused(reason, DETAILS.get(reason, reason)) if reason else None for reason in reasons]

    def _let_pass(self, commands: Sequence[PlaceOrder]) -> Sequence[None]:
        self._unjudged(len(commands))
        return [None] * len(commands)

    async def _ask(self, commands: Sequence[PlaceOrder]) -> list[str | None]:
        async with self._session.post(
            self._url,
            data=encode([admission_question(command) for command in commands]),
            headers=_headers(),
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S),
            raise_for_status=True,
        ) as response:
            reasons = decoder(list[str | None]).decode(await response.read())
        if len(reasons) != len(commands):
            raise msgspec.ValidationError(f"{len(reasons)} answers to {len(commands)} questions")
        return reasons


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json", "traceparent": traceparent(CURRENT.get())}
    own_id = request_id.CURRENT.get()
    return headers | {request_id.HEADER: own_id} if own_id else headers

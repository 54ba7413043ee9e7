import logging
from collections.abc import Callable, Mapping, Sequence

import aiohttp
import msgspec

from kernel.adapters import request_id
from kernel.adapters.http.server.server import CLIENT_KEEP_ALIVE_S
from kernel.adapters.identity.bearer import NOT_BELIEVED
from kernel.adapters.trace_context import CURRENT, traceparent
from kernel.adapters.words import in_words
from kernel.contracts.values import decoder, encode
from kernel.domain.errors import Refused
from kernel.ports.clock import Clock
from orders.adapters.outbound.answers import only_ok
from orders.adapters.outbound.circuit_breaker import CircuitBreaker
from orders.domain.commands import Placement
from orders.wire import admission_request
from payments.contract.for_orders import ADMIT_ORDERS

ANSWER_WITHIN_S = 0.3

# Texts for clients by the codes with which payments answers (its `Reason`).
DETAILS = {
    "account_not_found": "the user has no account",
    "account_frozen": "an operator has frozen this account",
    "insufficient_funds": "the balance does not suffice for this order",
}

logger = logging.getLogger(__name__)


def open_session() -> aiohttp.ClientSession:
    """Opens the session that the process uses for all calls to other services."""
    connector = aiohttp.TCPConnector(keepalive_timeout=CLIENT_KEEP_ALIVE_S)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


class HttpAdmission:
    """Asks payments in one call which orders of a batch to admit. Without an answer, all orders are admitted
    (it fails open), because the payment itself decides later.

    `as_service` returns the headers that authenticate this service. `unchecked` is called with the number of
    orders that were admitted without an answer.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        payments_url: str,
        clock: Clock,
        as_service: Callable[[], Mapping[str, str]] = dict,
        unchecked: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._session = session
        self._url = payments_url + ADMIT_ORDERS["path"]
        self._breaker = CircuitBreaker(clock)
        self._as_service = as_service
        self._unchecked = unchecked
        self._is_silent = False

    async def check(self, commands: Sequence[Placement]) -> Sequence[Refused | None]:
        if self._breaker.is_open:
            return self._let_pass(commands)
        try:
            reasons = await self._ask(commands)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, UnicodeDecodeError) as error:
            self._breaker.trip()
            if not self._is_silent:
                self._is_silent = True
                logger.warning("payments does not check orders: %s", _why(error))
            return self._let_pass(commands)
        if self._is_silent:
            self._is_silent = False
            logger.info("payments checks orders again")
        return [Refused(reason, DETAILS.get(reason, reason)) if reason else None for reason in reasons]

    def _let_pass(self, commands: Sequence[Placement]) -> Sequence[None]:
        self._unchecked(len(commands))
        return [None] * len(commands)

    async def _ask(self, commands: Sequence[Placement]) -> list[str | None]:
        async with self._session.post(
            self._url,
            data=encode([admission_request(command) for command in commands]),
            headers={**_headers(), **self._as_service()},
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S),
            raise_for_status=only_ok,
            allow_redirects=False,
        ) as response:
            reasons = decoder(list[str | None]).decode(await response.read())
        if len(reasons) != len(commands):
            raise msgspec.ValidationError(f"{len(reasons)} answers to {len(commands)} questions")
        return reasons


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError) and error.status == 401:
        return f"it {NOT_BELIEVED}"
    return in_words(error)


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json", "traceparent": traceparent(CURRENT.get())}
    own_id = request_id.CURRENT.get()
    return headers | {request_id.HEADER: own_id} if own_id else headers

"""Calls a service behind the gateway over HTTP."""

from collections.abc import Callable, Mapping, Sequence

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway.wire import at_own_route, at_the_gateway
from kernel.adapters import request_id, trace_context
from kernel.adapters.http.conventions.headers import (
    CHALLENGE,
    ETAG,
    LINK,
    LOCATION,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
    REPLAYED,
    RETRY_AFTER,
)
from kernel.adapters.http.conventions.idempotency import KEY
from kernel.adapters.http.conventions.problem import MEDIA_TYPE
from kernel.adapters.http.server.server import CLIENT_KEEP_ALIVE_S
from kernel.adapters.identity.bearer import CURRENT, authorization
from kernel.domain.caller import Caller
from kernel.domain.errors import OutcomeUnknown, Unavailable
from kernel.ports.http_answer import HttpAnswer

AsService = Callable[[Caller | None], Mapping[str, str]]
"""Returns the headers that authenticate the gateway. With a caller, the gateway acts for that caller."""

CONNECTIONS_MAX = 100
CONNECT_WITHIN_S = 2
READ_WITHIN_S = 5
WRITE_WITHIN_S = 10

# Errors that prove that no byte of the request was sent.
NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
NO_ANSWER = (aiohttp.ClientError, TimeoutError)
# A replica that stops breaks its connections; a new connection may reach another replica.
BROKEN = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)

_REFERRING = (LOCATION, LINK)
_PASSED_ON = (*_REFERRING, CHALLENGE, ETAG, REPLAYED, RETRY_AFTER, RATE_LIMIT, RATE_LIMIT_POLICY)


def open_session() -> aiohttp.ClientSession:
    """Opens the pool of HTTP connections that the whole process shares."""
    connector = aiohttp.TCPConnector(
        limit=0, limit_per_host=CONNECTIONS_MAX, keepalive_timeout=CLIENT_KEEP_ALIVE_S
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


class HttpService:
    """Passes on the answers of a service. Raises Unavailable for a request that the service did not get, and
    OutcomeUnknown for one that may have been carried out. Each request carries the trace and the request id
    of the current call."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, name: str) -> None:
        self._session = session
        self._base_url = base_url
        self._name = name

    async def read(
        self,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        unless: str | None = None,
        authorized: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Sends a GET; if the connection breaks, sends it once more. Query parameters that are None are left
        out. `authorized` are headers that authenticate the call; None stands for the caller's own token.

        Raises Unavailable if there is no answer.
        """
        headers = CIMultiDict[str](authorization(CURRENT.get()) if authorized is None else authorized)
        if unless is not None:
            headers["If-None-Match"] = unless
        given = {name: str(value) for name, value in (query or {}).items() if value is not None}
        url = URL(self._base_url + path, encoded=True).with_query(given)
        try:
            return await self._call("GET", url, headers, None, READ_WITHIN_S, again=BROKEN)
        except NO_ANSWER as error:
            raise Unavailable(f"the {self._name} service does not answer") from error

    async def write(
        self,
        path: str,
        *,
        body: bytes,
        key: str | None = None,
        authorized: Mapping[str, str] | None = None,
        more: Sequence[tuple[str, str]] = (),
    ) -> HttpAnswer:
        """Sends a POST at most once; only the connection attempt is repeated. `authorized` are headers that
        authenticate the call; None stands for the caller's own token.

        Raises Unavailable if the POST was not sent, and OutcomeUnknown if its answer was lost.
        """
        headers = CIMultiDict([("Content-Type", "application/json"), *more])
        headers.update(authorization(CURRENT.get()) if authorized is None else authorized)
        if key is not None:
            headers[KEY] = key
        try:
            url = URL(self._base_url + path, encoded=True)
            answer = await self._call("POST", url, headers, body, WRITE_WITHIN_S, again=NEVER_SENT)
        except NEVER_SENT as error:
            raise Unavailable(f"the {self._name} service is away") from error
        except NO_ANSWER as error:
            raise self._lost() from error
        if answer.status in (502, 504):
            raise self._lost()
        return answer

    def _lost(self) -> OutcomeUnknown:
        return OutcomeUnknown(f"the answer of the {self._name} service was lost")

    async def _call(
        self,
        method: str,
        url: URL,
        headers: CIMultiDict[str],
        body: bytes | None,
        within_s: float,
        *,
        again: tuple[type[Exception], ...],
    ) -> HttpAnswer:
        """Calls the service. After an error whose type is in `again`, calls it once more, on another
        connection."""
        headers["traceparent"] = trace_context.traceparent(trace_context.CURRENT.get())
        if own_id := request_id.CURRENT.get():
            headers[request_id.HEADER] = own_id
        try:
            return await self._call_once(method, url, headers, body, within_s)
        except TimeoutError:
            raise  # No time is left for a second call.
        except again:
            return await self._call_once(method, url, headers, body, within_s)

    async def _call_once(
        self, method: str, url: URL, headers: CIMultiDict[str], body: bytes | None, within_s: float
    ) -> HttpAnswer:
        timeout = aiohttp.ClientTimeout(total=within_s, connect=CONNECT_WITHIN_S)
        async with self._session.request(
            method, url, headers=headers, data=body, timeout=timeout, allow_redirects=False
        ) as response:
            return _answer(response, await response.read())


def _answer(response: aiohttp.ClientResponse, body: bytes) -> HttpAnswer:
    headers = {name: response.headers[name] for name in _PASSED_ON if name in response.headers}
    headers |= {name: at_the_gateway(headers[name]) for name in _REFERRING if name in headers}
    if response.content_type == MEDIA_TYPE:
        body = at_own_route(body)
    return HttpAnswer(response.status, response.content_type, headers, body)

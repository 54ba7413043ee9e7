"""The endpoints of an OpenID Connect provider, found by discovery."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import aiohttp
import msgspec

from gateway.domain.session import Grant, SignInFailed
from kernel.adapters.identity.fetching import whole_text
from kernel.adapters.words import in_words
from kernel.application.trouble import Trouble
from kernel.domain.errors import Unavailable
from kernel.domain.value import value
from kernel.ports.clock import Clock

DISCOVERED_FOR_S = 3600.0
# The pause after a failed discovery. During the pause no call waits for the provider.
AGAIN_S = 2.0
ANSWERS_WITHIN_S = 5.0
ANSWER_BYTES_MAX = 256 * 1024

_NO_ANSWER = (aiohttp.ClientError, OSError, TimeoutError, msgspec.MsgspecError, ValueError, RecursionError)
_AWAY = "the identity provider does not answer"
_BASIC, _POST = "client_secret_basic", "client_secret_post"


class Discovered(msgspec.Struct):
    """The provider's metadata (OpenID Connect Discovery, section 3; RFC 9207)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = (_BASIC,)
    authorization_response_iss_parameter_supported: bool = False


class _Granted(msgspec.Struct):
    access_token: str
    refresh_token: str = ""
    id_token: str = ""


class _Error(msgspec.Struct):
    error: str = ""


@value
class Client:
    """The shop's client id, secret and scopes at the provider."""

    id: str
    secret: str | None
    """None for a public client."""
    scope: str


class Endpoints:
    def __init__(self, session: aiohttp.ClientSession, issuer: str, client: Client, clock: Clock) -> None:
        self._session = session
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._trouble = Trouble("the OpenID provider", clock, ends_quietly=False)
        self._discovered: Discovered | None = None
        self._discover_again_at = float("-inf")
        self._discovering = asyncio.Lock()

    async def grant(self, **form: str) -> Grant:
        """Asks for tokens. Raises SignInFailed if the code or refresh token is invalid, and Unavailable for
        every other failure."""
        provider = await self.discover()
        headers, credentials = self._credentials(provider.token_endpoint_auth_methods_supported)
        try:
            async with self._session.post(
                provider.token_endpoint,
                data={**form, "client_id": self._client.id, **credentials},
                headers={"Accept": "application/json", **headers},
                timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S),
                allow_redirects=False,
            ) as answer:
                text = await whole_text(answer, ANSWER_BYTES_MAX)
            if answer.status != 200:
                raise self._denied(answer.status, text)
            granted = msgspec.json.decode(text, type=_Granted)
        except _NO_ANSWER as error:
            raise self._away(error) from error
        self._trouble.over()
        return Grant(granted.access_token, granted.refresh_token, granted.id_token)

    def _denied(self, status: int, text: bytes) -> SignInFailed | Unavailable:
        """Returns the error for a refused request (RFC 6749, section 5.2). Only `invalid_grant` is a fault of
        the person; every other refusal is a fault of the shop or of the provider."""
        error = msgspec.json.decode(text, type=_Error).error if status < 500 else ""
        if error == "invalid_grant":
            return SignInFailed("the provider calls the code or the refresh token invalid")
        self._trouble.report("refuses", f"answers {status} {error!r}: look at SHOP_OIDC_CLIENT_ID")
        return Unavailable("the identity provider refuses the shop")

    def _credentials(self, methods: Sequence[str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The headers and form fields that authenticate the client (RFC 6749, section 2.3.1)."""
        secret = self._client.secret
        if secret is None:
            return {}, {}
        if _BASIC not in methods and _POST in methods:
            return {}, {"client_secret": secret}
        login = aiohttp.encode_basic_auth(quote(self._client.id, safe=""), quote(secret, safe=""))
        return {"Authorization": login}, {}

    async def discover(self) -> Discovered:
        """Returns the endpoints, or the last known ones while the provider is away. Raises Unavailable if no
        endpoints are known."""
        async with self._discovering:
            if self._clock.monotonic() >= self._discover_again_at:
                try:
                    self._discovered = await self._fetch()
                except _NO_ANSWER as error:
                    self._away(error)
                    self._discover_again_at = self._clock.monotonic() + AGAIN_S
                else:
                    self._trouble.over()
                    self._discover_again_at = self._clock.monotonic() + DISCOVERED_FOR_S
        if self._discovered is None:
            raise Unavailable(_AWAY)
        return self._discovered

    async def _fetch(self) -> Discovered:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        timeout = aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S)
        async with self._session.get(url, timeout=timeout, raise_for_status=True) as answer:
            found = msgspec.json.decode(await whole_text(answer, ANSWER_BYTES_MAX), type=Discovered)
        if found.issuer != self._issuer:
            raise ValueError("its issuer is not SHOP_JWT_ISSUER")
        return found

    def _away(self, error: Exception) -> Unavailable:
        self._trouble.report("away", f"does not answer: {in_words(error)}")
        return Unavailable(_AWAY)

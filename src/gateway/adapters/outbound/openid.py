"""An OpenID Connect provider: authorization code with PKCE, refresh, and sign-out at the provider."""

import secrets
from hashlib import sha256

import msgspec
from joserfc.util import urlsafe_b64encode
from yarl import URL

from gateway.adapters.outbound.openid_endpoints import Client, Endpoints
from gateway.domain.session import SIGN_IN_WITHIN_S, Grant, SignIn, SignInFailed
from kernel.adapters.identity.key_ring import KeyRing
from kernel.adapters.identity.verifying import claim_rules, claims_of, header_of
from kernel.domain.errors import Unauthenticated, Unavailable
from kernel.ports.clock import Clock


class _IdClaims(msgspec.Struct):
    azp: str | None = None


class OpenIdProvider:
    is_there = True

    def __init__(
        self, endpoints: Endpoints, keys: KeyRing, issuer: str, client: Client, clock: Clock
    ) -> None:
        self._endpoints = endpoints
        self._keys = keys
        self._issuer = issuer
        self._client = client
        self._clock = clock

    async def begin(self, redirect_uri: str, return_to: str) -> tuple[SignIn, str]:
        provider = await self._endpoints.discover()
        begun = SignIn(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            return_to=return_to,
            until=self._clock.now().timestamp() + SIGN_IN_WITHIN_S,
        )
        query = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": redirect_uri,
            "scope": self._client.scope,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": urlsafe_b64encode(sha256(begun.verifier.encode()).digest()).decode(),
            "code_challenge_method": "S256",
        }
        return begun, str(URL(provider.authorization_endpoint).update_query(query))

    async def accepts(self, issuer: str) -> bool:
        if issuer:
            return issuer == self._issuer
        return not (await self._endpoints.discover()).authorization_response_iss_parameter_supported

    async def redeem(self, begun: SignIn, code: str) -> Grant:
        granted = await self._endpoints.grant(
            grant_type="authorization_code",
            code=code,
            redirect_uri=begun.redirect_uri,
            code_verifier=begun.verifier,
        )
        await self._check_id_token(granted.id_token, begun.nonce)
        return granted

    async def renew(self, refresh_token: str) -> Grant:
        return await self._endpoints.grant(grant_type="refresh_token", refresh_token=refresh_token)

    async def sign_out_url(self, id_token: str, back_to: str) -> str | None:
        try:
            place = (await self._endpoints.discover()).end_session_endpoint
        except Unavailable:
            return None
        query = {"id_token_hint": id_token, "client_id": self._client.id, "post_logout_redirect_uri": back_to}
        return str(URL(place).update_query(query)) if place else None

    async def _check_id_token(self, token: str, nonce: str) -> None:
        """Checks the ID token (OpenID Connect Core, section 3.1.3.7). Raises SignInFailed if it is
        not valid, and Unavailable if the provider's keys are not known."""
        rules = claim_rules(
            self._clock,
            issuer=self._issuer,
            audience=self._client.id,
            nonce={"essential": True, "value": nonce},
        )
        try:
            header = header_of(token)
            key = await self._keys.find(header.kid, header.alg)
            if key is None:
                raise Unauthenticated()
            claims = claims_of(token, key.key, [header.alg], rules, _IdClaims)
        except Unauthenticated as error:
            raise SignInFailed("the ID token is not valid") from error
        if claims.azp not in (None, self._client.id):
            raise SignInFailed("the ID token is for another client")

"""A small OpenID Connect provider, on `localhost`, which for a browser is another site than 127.0.0.1."""

import asyncio
import base64
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey
from yarl import URL

from tests.servers.ports import free_port

CLIENT = "shop-pages"


@dataclass
class Family:
    """The tokens of one sign-in. Only the newest refresh token is valid; an older one revokes all."""

    sub: str
    nonce: str
    newest: str = ""
    ended: bool = False


@dataclass
class _Code:
    challenge: str
    redirect_uri: str
    family: Family


@dataclass
class OpenId:
    """An OpenID Connect provider that signs in every browser as `person`, without a password."""

    redirect_uris: list[str] = field(default_factory=list)
    person: str = "alice"
    secret: str | None = None
    """The client's secret; None for a public client."""
    valid_s: int = 300
    access: dict[str, Any] = field(default_factory=dict)
    """Claims that replace those of access tokens. `id_claims` does the same for ID tokens."""
    id_claims: dict[str, Any] = field(default_factory=dict)
    endpoints: dict[str, Any] = field(default_factory=dict)
    """Values that replace those of the discovery document; a field with None is left out."""
    names_issuer: bool = True
    denies: str = ""
    silent: bool = False
    calls: list[str] = field(default_factory=list)
    forms: list[Mapping[str, Any]] = field(default_factory=list)
    """The form of each call of the token endpoint."""

    def __post_init__(self) -> None:
        self.port = free_port()
        self.issuer = f"http://localhost:{self.port}"
        self.keys = [ECKey.generate_key("P-256", auto_kid=True)]
        self.codes: dict[str, _Code] = {}
        self.families: dict[str, Family] = {}
        self._runner: web.AppRunner | None = None

    def rotate(self) -> None:
        """Replaces the signing key, and stops publishing the old one."""
        self.keys = [ECKey.generate_key("P-256", auto_kid=True)]

    def sign(self, **claims: Any) -> str:
        key, now = self.keys[0], int(time.time())
        told = {"iss": self.issuer, "iat": now, "exp": now + self.valid_s, **claims}
        return jwt.encode({"alg": "ES256", "kid": key.kid}, told, key, algorithms=["ES256"])

    def access_token(self, sub: str, **claims: Any) -> str:
        return self.sign(**{"sub": sub, "aud": "shop", "jti": secrets.token_hex(8), **self.access, **claims})

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._noted])
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/logout", self._logout)
        self._runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "localhost", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _noted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.calls.append(request.path)
        while self.silent:
            await asyncio.sleep(0.02)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _discovery(self, _: web.Request) -> web.Response:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?realm=tests",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
            "authorization_response_iss_parameter_supported": self.names_issuer,
            "code_challenge_methods_supported": ["S256"],
        } | self.endpoints
        return web.json_response({name: value for name, value in told.items() if value is not None})

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = request.query
        if asked["client_id"] != CLIENT or asked["redirect_uri"] not in self.redirect_uris:
            return web.Response(status=400, text="this client may not be sent back there")
        answer = {"state": asked["state"], "session_state": "of the provider", "campaign": "a&b"}
        answer |= {"iss": self.issuer} if self.names_issuer else {}
        if self.denies or asked["code_challenge_method"] != "S256" or "openid" not in asked["scope"].split():
            answer |= {"error": self.denies or "invalid_request"}
        else:
            code = secrets.token_urlsafe(16)
            family = Family(self.person, asked["nonce"])
            self.codes[code] = _Code(asked["code_challenge"], asked["redirect_uri"], family)
            answer |= {"code": code}
        return web.Response(
            status=302, headers={"Location": str(URL(asked["redirect_uri"]).update_query(answer))}
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.forms.append(dict(form))
        if self.secret is not None and request.headers.get("Authorization") != _basic(CLIENT, self.secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        if form["grant_type"] == "authorization_code":
            family = self._redeemed(form)
        else:
            family = self._renewed(str(form["refresh_token"]))
        if family is None or form["client_id"] != CLIENT:
            return web.json_response({"error": "invalid_grant"}, status=400)
        family.newest = secrets.token_urlsafe(16)
        self.families[family.newest] = family
        told = {"sub": family.sub, "aud": CLIENT, "nonce": family.nonce} | self.id_claims
        return web.json_response(
            {
                "token_type": "Bearer",
                "expires_in": self.valid_s,
                "access_token": self.access_token(family.sub),
                "refresh_token": family.newest,
                "id_token": self.sign(**told),
            }
        )

    def _redeemed(self, form: Mapping[str, Any]) -> Family | None:
        """Redeems a code. It is valid once, and only for the client that knows its PKCE verifier."""
        code = self.codes.pop(form["code"], None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if code is None or (code.challenge, code.redirect_uri) != (challenge, form["redirect_uri"]):
            return None
        return code.family

    def _renewed(self, token: str) -> Family | None:
        family = self.families.get(token)
        if family is None or family.ended or family.newest != token:
            if family is not None:
                family.ended = True
            return None
        return family

    async def _logout(self, request: web.Request) -> web.Response:
        return web.Response(text=f"good bye; back to {request.query['post_logout_redirect_uri']}")


def _basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()

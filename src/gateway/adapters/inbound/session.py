"""The routes by which pages sign in, sign out, and learn who is signed in."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, delete, get, post
from litestar.response import Redirect, Response

from gateway.adapters.inbound import session_operations as operations
from gateway.adapters.inbound.cookie_sessions import PATH, CookieSessions
from gateway.adapters.inbound.cookies import base_url_of
from gateway.adapters.inbound.session_operations import OwnSession, SessionState, SignedOut
from gateway.adapters.inbound.sign_in_cookie import SignInCookie
from gateway.adapters.inbound.told_by_page import told_by_page
from gateway.application.finish_sign_in import FinishSignIn
from gateway.domain.session import Session, SignInAnswer, SignInFailed, is_foreign, own_path, require_person
from gateway.ports.provider import Provider
from kernel.adapters.answer_start import answer_start
from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import CURRENT
from kernel.adapters.http.parsing.query import ANY_QUERY
from kernel.adapters.identity import bearer
from kernel.domain.caller import Role
from kernel.domain.errors import Conflict, Forbidden, ShopError, Unauthenticated
from kernel.domain.value import value
from kernel.ports.tokens import Verified

LOGIN, CALLBACK = f"{PATH}/login", f"{PATH}/callback"
_NO_STORE = (b"cache-control", b"no-store")

logger = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, Any]


@value
class Mode:
    """`name` is the value of SHOP_AUTH. In open mode callers are not authenticated."""

    name: Literal["open", "jwt"]


# The roles that a person may have.
_ROLES: Mapping[Role, Literal["user", "viewer", "operator"]] = {
    Role.USER: "user",
    Role.VIEWER: "viewer",
    Role.OPERATOR: "operator",
}


def _state(mode: Mode, provider: Provider, verified: Verified) -> SessionState:
    role, own = _ROLES.get(verified.caller.role), None
    if role is not None:
        own = OwnSession(verified.caller.id, role, datetime.fromtimestamp(int(verified.until), UTC))
    return SessionState(mode.name, provider.is_there, own)


class SessionController(Controller):
    path = PATH
    tags = ("Session",)

    @get(**operations.GET_SESSION)
    @inject
    async def show(self, mode: FromDishka[Mode], provider: FromDishka[Provider]) -> JsonAnswer[SessionState]:
        return JsonAnswer(_state(mode, provider, CURRENT.get()))

    @post(**operations.BEGIN_SESSION)
    @inject
    async def begin(
        self,
        request: AnyRequest,
        mode: FromDishka[Mode],
        provider: FromDishka[Provider],
        sessions: FromDishka[CookieSessions],
    ) -> JsonAnswer[SessionState]:
        if mode.name == "open":
            raise Conflict("open_mode", "callers are not authenticated here, so there are no sessions")
        if "authorization" not in request.headers:  # A cookie has authenticated the caller.
            raise Unauthenticated()
        if is_foreign(request.headers.get("sec-fetch-site")):
            raise Forbidden("a page of another host may not begin a session here")
        verified = CURRENT.get()
        require_person(verified.caller)
        session = Session(verified.caller.id, bearer.CURRENT.get())
        answer_start(request.scope).headers.extend(sessions.cookies_of(session, request.scope))
        return JsonAnswer(_state(mode, provider, verified), status_code=201)

    @delete(**operations.END_SESSION)
    @inject
    async def end(
        self,
        request: AnyRequest,
        sessions: FromDishka[CookieSessions],
        provider: FromDishka[Provider],
        session_header: operations.SessionHeader = None,
    ) -> Response[Any]:
        sessions.forget(request.scope)
        session = sessions.session_of(request.scope)
        if session is not None and session.id_token:
            url = await provider.sign_out_url(session.id_token, f"{base_url_of(request.scope).url}/")
            if url is not None:
                return JsonAnswer(SignedOut(url), status_code=200)
        return Response(None, status_code=204)

    @get(**operations.SIGN_IN)
    @inject
    async def login(
        self,
        request: AnyRequest,
        provider: FromDishka[Provider],
        cookie: FromDishka[SignInCookie],
        return_to: operations.ReturnTo = "/",
    ) -> Redirect:
        path, base = own_path(return_to), base_url_of(request.scope)
        if f"{path}/".startswith(f"{base.prefix}/"):  # The final redirect adds the prefix again.
            path = own_path(path.removeprefix(base.prefix) or "/")
        headers = answer_start(request.scope).headers
        headers.append(_NO_STORE)
        try:
            begun, url = await provider.begin(f"{base.url}{CALLBACK}", path)
        except ShopError as error:
            return told_by_page(error, request.headers)
        headers.extend(cookie.set(begun, request.scope))
        return Redirect(url, status_code=303)

    @get(opt={ANY_QUERY: True}, **operations.FINISH_SIGN_IN)
    @inject
    async def callback(
        self,
        request: AnyRequest,
        finish: FromDishka[FinishSignIn],
        sessions: FromDishka[CookieSessions],
        cookie: FromDishka[SignInCookie],
        code: operations.Code = None,
        own_state: operations.State = None,
        error: operations.ErrorCode = None,
        iss: operations.Iss = None,
    ) -> Redirect:
        begun, headers = cookie.read(request.scope), answer_start(request.scope).headers
        # The cookie is used once, whether the sign-in succeeds or not.
        headers.extend([_NO_STORE, *cookie.removed(request.scope)])
        try:
            given = request.query_params.dict()
            if any(len(given.get(name, [])) > 1 for name in ("code", "state", "error", "iss")):
                raise SignInFailed("a parameter comes twice")
            session = await finish(begun, SignInAnswer(own_state or "", code or "", error or "", iss or ""))
            headers.extend(sessions.cookies_of(session, request.scope))
        except ShopError as failure:
            if isinstance(failure, SignInFailed):
                logger.info("a sign-in failed: %s", failure.why)
            return told_by_page(failure, request.headers)
        return Redirect(begun.return_to if begun else "/", status_code=303)

"""Keeps sessions in cookies. A session's cookie identifies the caller of a call without a bearer token."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar.types import Scope
from litestar.utils import normalize_path

from gateway.adapters.inbound.cookies import Cookie, Headers
from gateway.adapters.inbound.sealing import Sealing
from gateway.application.renew_session import RenewSession
from gateway.domain.session import Session, may_be_forged
from kernel.adapters.answer_start import answer_start
from kernel.adapters.http.middleware.options import METHOD_OF_OPTIONS
from kernel.domain.errors import Forbidden, Unauthenticated
from payments.contract.operations import WRITTEN_BY_GET

PATH = "/session"
SESSION_HEADER = "X-Shop-Session"
COOKIE = Cookie("shop-session", "/", "Strict")
PURPOSE = "shop session"

_CACHE_CLEARED = (b"clear-site-data", b'"cache"')
_READS = frozenset({"GET", "HEAD", METHOD_OF_OPTIONS})
_FORGED = f"a change by a session's cookie has to come from a page of this host, with {SESSION_HEADER}"


class CookieSessions:
    def __init__(self, keys: Sequence[str], renew: RenewSession) -> None:
        """`keys` are the secrets that seal the cookies; empty in open mode, which has no sessions."""
        self._sealing = Sealing(Session, keys, purpose=PURPOSE, compressed=True)
        self._renew = renew

    async def token_of(self, scope: Scope) -> str:
        """Returns the access token of the call's session. If the token ends soon, it is renewed, and the
        answer to the call sets the new cookie.

        Raises Unauthenticated if the call has no session, Forbidden if a page of another site may have sent
        the call, and Unavailable if the token has to be renewed and the provider does not answer.
        """
        is_forged = _is_change(scope) and may_be_forged(
            _header(scope, "Sec-Fetch-Site"), _header(scope, SESSION_HEADER)
        )
        is_sign_out = _is_sign_out(scope)
        if is_sign_out and not is_forged:
            self.forget(scope)
        session = self.session_of(scope)
        if session is None:
            raise Unauthenticated()
        if is_forged:
            raise Forbidden(_FORGED)
        if is_sign_out:  # No renewal: a person can sign out while the provider is away.
            return session.access_token
        renewed = await self._renew(session)
        if renewed != session:
            answer_start(scope).headers.extend(self.cookies_of(renewed, scope))
        return renewed.access_token

    def session_of(self, scope: Mapping[str, Any]) -> Session | None:
        sealed = COOKIE.read(scope)
        return self._sealing.open(sealed) if sealed else None

    def cookies_of(self, session: Session, scope: Mapping[str, Any]) -> Headers:
        """Returns the headers that set the cookie. Raises Refused if the session is too large for cookies."""
        return COOKIE.set(self._sealing.seal(session), scope)

    def forget(self, scope: Mapping[str, Any]) -> None:
        """Makes the answer to this call remove the cookie and clear the browser's cache."""
        headers = answer_start(scope).headers
        removing = (*COOKIE.removed(scope), _CACHE_CLEARED)
        headers.extend(line for line in removing if line not in headers)


def _is_change(scope: Mapping[str, Any]) -> bool:
    """Whether the call changes data. The path is normalized first, as the router does it."""
    return scope["method"] not in _READS or normalize_path(scope["path"]).endswith(WRITTEN_BY_GET)


def _is_sign_out(scope: Mapping[str, Any]) -> bool:
    return bool(scope["method"] == "DELETE" and normalize_path(scope["path"]) == PATH)


def _header(scope: Mapping[str, Any], name: str) -> str | None:
    text: bytes | None = dict(scope["headers"]).get(name.lower().encode())
    return None if text is None else text.decode("latin-1")

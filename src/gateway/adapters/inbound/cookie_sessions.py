"""Sessions in cookies: who a call comes from, where it bears no token itself."""

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

_READS = frozenset({"GET", "HEAD", METHOD_OF_OPTIONS})
_FORGED = f"a change with a session's cookie needs the header {SESSION_HEADER}, from a page of this host"


class CookieSessions:
    def __init__(self, keys: Sequence[str], renew: RenewSession) -> None:
        """Without `keys` there are no sessions, as in open mode."""
        self._sealing = Sealing(Session, keys, purpose=PURPOSE, compressed=True)
        self._renew = renew

    async def token_of(self, scope: Scope) -> str:
        """The access token of a session, renewed where it is about to end: the answer brings the new cookie.

        Raises Unauthenticated where there is no session, Forbidden where a page of another site may be behind
        the call, Unavailable where the provider is away that would have to renew it.
        """
        is_forged = _is_change(scope) and may_be_forged(*_said_of(scope))
        is_end = _is_end(scope)
        if is_end and not is_forged:
            self.forget(scope)
        session = self.session_of(scope)
        if session is None:
            raise Unauthenticated()
        if is_forged:
            raise Forbidden(_FORGED)
        if is_end:  # Leaving has to work while the provider is away.
            return session.access_token
        renewed = await self._renew(session)
        if renewed != session:
            answer_start(scope).headers.extend(self.cookies_of(renewed, scope))
        return renewed.access_token

    def session_of(self, scope: Mapping[str, Any]) -> Session | None:
        sealed = COOKIE.read(scope)
        return self._sealing.open(sealed) if sealed else None

    def cookies_of(self, session: Session, scope: Mapping[str, Any]) -> Headers:
        """Raises Refused where it is too large."""
        return COOKIE.set(self._sealing.seal(session), scope)

    def forget(self, scope: Mapping[str, Any]) -> None:
        """With the answer."""
        headers = answer_start(scope).headers
        headers.extend(line for line in COOKIE.removed(scope) if line not in headers)


def _is_change(scope: Mapping[str, Any]) -> bool:
    """However its path is spelled: routes are found by the same normal form."""
    return scope["method"] not in _READS or normalize_path(scope["path"]).endswith(WRITTEN_BY_GET)


def _is_end(scope: Mapping[str, Any]) -> bool:
    return bool(scope["method"] == "DELETE" and normalize_path(scope["path"]) == PATH)


def _said_of(scope: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """What the browser says of the page behind the call, and what our own page says."""
    headers = dict(scope["headers"])
    said = [headers.get(name) for name in (b"sec-fetch-site", SESSION_HEADER.lower().encode())]
    site, own = [text if text is None else text.decode("latin-1") for text in said]
    return site, own

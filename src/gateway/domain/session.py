"""Sessions and sign-ins. A session holds the tokens of a person. The browser keeps it, but cannot read it."""

import re

from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Forbidden, Invalid, Refused
from kernel.domain.value import value

SIGN_IN_WITHIN_S = 600
RENEW_BEFORE_S = 60
# A token is accepted for this long after it expired, because clocks differ.
BELIEVED_BEYOND_S = 30

# Browsers read a backslash as a slash, and a path with two slashes at its start as another host. They ignore
# tabs and line breaks.
_OWN_PATH = re.compile(r"/(?!/)[!-\[\]-~]{0,1023}")


@value
class Session:
    user_id: str
    access_token: str
    refresh_token: str = ""
    id_token: str = ""
    renew_at: float = 0.0
    """In seconds since 1970; meaningless without a refresh token."""

    def is_due(self, now: float, *, is_good: bool) -> bool:
        """Whether the access token has to be renewed and can be renewed. `is_good` tells
        whether the token is accepted now. The provider may withdraw the signing key earlier."""
        return bool(self.refresh_token) and (now >= self.renew_at or not is_good)


@value
class SignIn:
    """A sign-in that has begun. The browser keeps it until the provider sends the person back."""

    state: str
    nonce: str
    verifier: str
    """The code verifier of PKCE (RFC 7636)."""
    redirect_uri: str
    return_to: str
    until: float
    """In seconds since 1970."""

    def is_answered(self, state: str, now: float) -> bool:
        """Whether an answer with this state belongs to this sign-in, and comes in time."""
        return state == self.state and now < self.until


@value
class SignInAnswer:
    """The parameters of the provider's redirect; an absent one is empty."""

    state: str
    code: str
    error: str
    issuer: str
    """RFC 9207."""


@value
class Grant:
    """The tokens that the provider gives for a code or a refresh token; an absent one is empty."""

    access_token: str
    refresh_token: str = ""
    id_token: str = ""


class SignInFailed(Refused):
    """The person can only try again. `why` is the reason, for the log."""

    def __init__(self, why: str) -> None:
        super().__init__("sign_in_failed", "signing in did not work; begin again at /session/login")
        self.why = why


def own_path(text: str) -> str:
    """Returns the text if it is a path of this host. Otherwise raises Invalid for the field `returnTo`."""
    if not _OWN_PATH.fullmatch(text):
        raise Invalid.field("returnTo", "must be a path of this host, such as /orders?limit=5")
    return text


def require_person(caller: Caller) -> None:
    """Raises Forbidden for a service, which has no browser."""
    if caller.service or caller.role not in (Role.USER, Role.VIEWER, Role.OPERATOR):
        raise Forbidden()


def renew_at(now: float, until: float) -> float:
    """The time to renew a token that is accepted until `until`: a minute before it expires; if less than two
    minutes are left, after half of the time left. All times are in seconds since 1970."""
    end = until - BELIEVED_BEYOND_S
    return end - min(RENEW_BEFORE_S, max(0.0, (end - now) / 2))


def may_be_forged(fetch_site: str | None, own_header: str | None) -> bool:
    """Whether a page of another site may have made the browser send this change with the shop's cookie.

    Such a page cannot send `own_header`, because CORS never allows it. `fetch_site` is the browser's
    Sec-Fetch-Site, which some browsers do not send.
    """
    return own_header is None or is_foreign(fetch_site)


def is_foreign(fetch_site: str | None) -> bool:
    return fetch_site is not None and fetch_site not in ("same-origin", "none")

"""The bodies and operations of the session routes."""

from typing import Annotated, Literal

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter, QueryParameter

from gateway.adapters.inbound.answers import PROBLEMS
from gateway.adapters.inbound.cookie_sessions import SESSION_HEADER
from gateway.adapters.inbound.told_by_page import TOLD_BY_PAGE
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import ALWAYS, FORBIDDEN, OVERLOADED, Operation, answering
from kernel.contracts.http import Moment, ResponseBody

SESSION_CHANGES = (
    f"A call that changes data with a session's cookie needs the header `{SESSION_HEADER}`, with any value. A"
    " page of another host cannot send this header. The deposit by GET changes data too. Without the header"
    " the answer is 403 `forbidden`."
)
_AWAY = (503, "unavailable")

ReturnTo = Annotated[
    str,
    QueryParameter(
        name="returnTo",
        description="The path of this host to which the browser goes after the sign-in.",
        schema_extra={"pattern": r"^/(?!/)[!-\[\]-~]{0,1023}$"},
        examples=[Example(value="/orders?limit=5")],
    ),
]
SessionHeader = Annotated[
    str | None, HeaderParameter(name=SESSION_HEADER, description="Any value.", examples=[Example(value="1")])
]
Code = Annotated[str | None, QueryParameter(description="The authorization code.")]
State = Annotated[str | None, QueryParameter(name="state", description="The `state` of the sign-in.")]
ErrorCode = Annotated[str | None, QueryParameter(description="The error, if the provider gives no code.")]
Iss = Annotated[str | None, QueryParameter(description="The issuer that sends the browser back (RFC 9207).")]


class OwnSession(ResponseBody, frozen=True):
    """`until` is the expiry of the access token. Calls renew that token in time, given a refresh token."""

    user_id: str
    role: Literal["user", "viewer", "operator"]
    until: Moment


class SessionState(ResponseBody, frozen=True):
    """`signIn` tells whether a provider offers sign-in. `session` is null if no person is signed in."""

    mode: Literal["open", "jwt"]
    sign_in: bool
    session: OwnSession | None


class SignedOut(ResponseBody, frozen=True):
    """`signOutUrl` is the address at which the browser signs out at the provider too."""

    sign_out_url: str


_STATE = {
    "mode": "jwt",
    "signIn": True,
    "session": {"userId": "alice", "role": "user", "until": "2026-11-22T11:40:18Z"},
}

# The problems of routes that need no authentication.
_OPEN = ((400, "invalid_request"), (429, "rate_limited"))

GET_SESSION = Operation(
    operation_id="getSession",
    summary="The authentication mode, and the signed-in person",
    responses=answering(200, SessionState, "The state. No authentication is needed", _STATE)
    | problems(PROBLEMS, *_OPEN, _AWAY, OVERLOADED),
)
BEGIN_SESSION = Operation(
    operation_id="beginSession",
    summary="Exchange a bearer token for a session's cookie",
    description="For a page that has a token. Unlike the token, the cookie cannot be read by a script.",
    responses=answering(201, SessionState, "The cookie is set", _STATE)
    | problems(PROBLEMS, *ALWAYS, FORBIDDEN, (409, "open_mode"), (422, "session_too_large"), _AWAY),
)
END_SESSION = Operation(
    operation_id="endSession",
    summary="Sign out",
    description=f"The cookie is removed. {SESSION_CHANGES}",
    status_code=200,
    responses={
        200: ResponseSpec(
            SignedOut,
            generate_examples=False,
            description="Signed out at the shop. At `signOutUrl` the browser signs out at the provider",
            examples=[Example(value={"signOutUrl": "https://id.example/logout?client_id=shop"})],
        ),
        204: ResponseSpec(None, description="The person has signed out"),
    }
    | problems(PROBLEMS, *ALWAYS, FORBIDDEN, _AWAY),
)
SIGN_IN = Operation(
    path="/login",
    operation_id="signIn",
    summary="Begin to sign in with the provider",
    description="A browser goes here and is redirected to the provider (OpenID Connect, authorization code"
    " with PKCE), which sends it back. " + TOLD_BY_PAGE,
    status_code=303,
    responses={303: ResponseSpec(None, description="A redirect to the provider")}
    | problems(PROBLEMS, *_OPEN, (404, "no_provider"), _AWAY, OVERLOADED),
)
FINISH_SIGN_IN = Operation(
    path="/callback",
    operation_id="finishSignIn",
    summary="The provider sends the browser back here",
    description=f"Parameters that are not named here are ignored. {TOLD_BY_PAGE}",
    status_code=303,
    responses={303: ResponseSpec(None, description="The cookie is set; the browser goes to `returnTo`")}
    | problems(
        PROBLEMS,
        (400, "sign_in_failed"),
        (429, "rate_limited"),
        (404, "no_provider"),
        (422, "session_too_large"),
        _AWAY,
        OVERLOADED,
    ),
)

"""Callers who bring a cookie in the place of a token."""

from typing import Any

import pytest

from kernel.adapters.http.conventions.caller import CURRENT
from kernel.adapters.http.middleware.identity import CookieAuthentication, identified
from kernel.adapters.identity import bearer
from kernel.adapters.rate_limits.rate_limits import CountedRateLimits
from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import Forbidden, Unauthenticated, Unavailable
from kernel.ports.rate_limits import RateLimits
from kernel.ports.tokens import Verified
from tests.memory.clock import MemoryClock
from tests.unit.kernel.adapters.http import asgi


class Known:
    """Tokens are the names of users."""

    def remembered(self, token: str) -> Verified | None:
        return None

    async def verify(self, token: str) -> Verified:
        if token in ("", "nobody"):
            raise Unauthenticated(with_token=True)
        return Verified(Caller(Role.USER, token), 1)


async def answered(
    method: str,
    path: str,
    *,
    bears: str | None = None,
    cookie: str | Exception | None = None,
    with_cookies: bool = True,
    scheme: str = "Bearer",
    limits: RateLimits | None = None,
) -> tuple[int, str, Caller | None]:
    """The status, the token that services would get, and the caller whom the route sees."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((bearer.CURRENT.get(), CURRENT.get().caller))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def token_of(_: Any) -> str:
        if isinstance(cookie, Exception):
            raise cookie
        if cookie is None:
            raise Unauthenticated()
        return cookie

    own = CookieAuthentication(token_of, open_to_all=("/in",), read_by_all="/me", page_files="/files/")
    cookies = own if with_cookies else None
    headers = [(b"authorization", f"{scheme} {bears}".encode())] if bears is not None else []
    asked = identified(app, Known(), ("/docs/",), cookies=cookies, limits=limits)
    start, *_ = await asgi.answered(asked, headers, method=method, path=path, client=("192.0.2.1", 1))
    token, caller = seen[0] if seen else ("", None)
    return start["status"], token, caller


ALICE, BOB = Caller(Role.USER, "alice"), Caller(Role.USER, "bob")


async def test_a_cookie_stands_for_its_token() -> None:
    assert await answered("POST", "/orders", cookie="alice") == (200, "alice", ALICE)


async def test_a_token_of_ones_own_goes_before_the_cookie() -> None:
    assert await answered("GET", "/orders", bears="bob", cookie="alice") == (200, "bob", BOB)
    assert await answered("GET", "/orders", bears="nobody", cookie="alice") == (401, "", None)
    assert await answered("GET", "/orders", bears="bob", scheme="Basic", cookie="alice") == (401, "", None)


@pytest.mark.parametrize(
    ("cookie", "status"), [(None, 401), ("nobody", 401), (Forbidden(), 403), (Unavailable("away"), 503)]
)
async def test_a_caller_whom_the_cookie_does_not_name_is_not_let_in(
    cookie: str | Exception | None, status: int
) -> None:
    assert await answered("GET", "/orders", cookie=cookie) == (status, "", None)


async def test_the_reason_for_which_a_cookie_is_refused_is_counted_too() -> None:
    limits = CountedRateLimits("2/day", "gateway", MemoryClock())
    for refusal, status in ((Forbidden(), 403), (Unauthenticated(), 401), (Forbidden(), 429)):
        assert (await answered("POST", "/orders", cookie=refusal, limits=limits))[0] == status


async def test_no_cookie_lets_anybody_in_where_none_are_taken() -> None:
    assert await answered("GET", "/orders", cookie="alice", with_cookies=False) == (401, "", None)
    assert await answered("GET", "/in", with_cookies=False) == (401, "", None)


async def test_the_files_of_pages_ask_nobody_and_are_never_counted() -> None:
    limits = CountedRateLimits("1/day", "gateway", MemoryClock())
    for _ in range(3):
        assert await answered("GET", "/files/app.js", limits=limits) == (200, "", ANYONE)
    for path in ("/files", "//files/app.js", "/Files/app.js"):
        assert (await answered("GET", path))[0] == 401


async def test_open_paths_ask_nobody_and_are_told_of_nobody() -> None:
    assert await answered("GET", "/in", cookie="alice") == (200, "", ANYONE)


async def test_an_open_route_learns_who_calls_from_the_cookie_alone() -> None:
    assert await answered("GET", "/me") == (200, "", ANYONE)
    assert await answered("GET", "/me", cookie="nobody") == (200, "", ANYONE)
    assert await answered("GET", "/me", cookie="alice") == (200, "alice", ALICE)
    assert await answered("GET", "/me", bears="bob") == (200, "", ANYONE)
    assert (await answered("GET", "/me", cookie=Unavailable("away")))[0] == 503


@pytest.mark.parametrize("path", ["/me", "/me/", "//me", "/in/", "//in", "/ME"])
async def test_nothing_but_reading_it_is_open_and_no_other_spelling(path: str) -> None:
    methods = ["POST", "DELETE", "PUT", "UNKNOWN"] + ([] if path == "/me" else ["GET"])
    for method in methods:
        assert (await answered(method, path))[0] == 401

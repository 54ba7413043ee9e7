"""Cookies: where they are bound to the host and to TLS, and how a long text is kept in several."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.inbound.cookies import PART_BYTES_MAX, PARTS_MAX, Cookie, base_url_of
from kernel.adapters.http.middleware.proxies import PREFIX
from kernel.domain.errors import Invalid, Refused

OWN = Cookie("own", "/", "Strict")
BELOW = Cookie("below", "/back", "Lax", 600)


def call(host: str = "127.0.0.1:5003", cookie: str = "", scheme: str = "http", prefix: str = "") -> Any:
    headers = [(b"host", host.encode())] if host else []
    headers += [(b"cookie", cookie.encode("latin-1"))] if cookie else []
    return {"scheme": scheme, "headers": headers} | ({PREFIX: prefix} if prefix else {})


def lines(headers: Any) -> list[str]:
    return [text.decode() for _, text in headers]


def kept(headers: Any) -> str:
    """The cookies as the browser sends them back."""
    return "; ".join(line.partition(";")[0] for line in lines(headers))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:5003", "127.8.8.8", "localhost:5003", "LOCALHOST", "[::1]:5003"]
)
def test_a_cookie_travels_in_plain_text_on_this_machine(host: str) -> None:
    assert lines(OWN.set("x", call(host))) == ["own=x; Path=/; HttpOnly; SameSite=Strict"]


@pytest.mark.parametrize(
    "host", ["shop.example", "10.0.0.1:5003", "[fd00::1]", "localhost.example", "127.0.0.1.example", ""]
)
def test_anywhere_else_it_asks_for_tls(host: str) -> None:
    assert lines(OWN.set("x", call(host))) == ["__Host-own=x; Path=/; HttpOnly; SameSite=Strict; Secure"]


def test_over_tls_it_asks_for_tls_on_this_machine_too() -> None:
    assert lines(OWN.set("x", call("localhost", scheme="https")))[0].endswith("; Secure")


def test_a_path_has_the_prefix_that_clients_see_and_the_root_has_none() -> None:
    scope = call("shop.example", prefix="/shop")
    assert lines(BELOW.set("x", scope)) == [
        "__Secure-below=x; Path=/shop/back; HttpOnly; SameSite=Lax; Secure; Max-Age=600"
    ]
    assert "; Path=/; " in lines(OWN.set("x", scope))[0]


@given(st.integers(0, PART_BYTES_MAX * PARTS_MAX))
def test_a_long_text_is_kept_in_several_cookies_and_read_as_one(length: int) -> None:
    text = "".join(chr(ord("a") + number % 26) for number in range(length))
    headers = OWN.set(text, call())
    assert len(headers) == -(-length // PART_BYTES_MAX)
    assert all(len(line) < 4096 for line in lines(headers))
    assert OWN.read(call(cookie=kept(headers))) == text


def test_a_text_that_no_browser_would_keep_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        OWN.set("x" * (PART_BYTES_MAX * PARTS_MAX + 1), call())
    assert refused.value.code == "session_too_large"


def test_a_shorter_text_removes_the_cookies_that_it_does_not_need() -> None:
    long = kept(OWN.set("x" * (2 * PART_BYTES_MAX + 1), call()))
    headers = OWN.set("short", call(cookie=long))
    assert [line.partition(";")[0] for line in lines(headers)] == ["own=short", "own-1=", "own-2="]
    assert [line.endswith("Max-Age=0") for line in lines(headers)] == [False, True, True]


def test_only_what_the_browser_has_is_removed() -> None:
    assert OWN.removed(call()) == []
    assert OWN.removed(call(cookie="other=1")) == []
    assert lines(OWN.removed(call(cookie="own=1; own-1=2"))) == [
        "own=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
        "own-1=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
    ]


@pytest.mark.parametrize(
    "cookie", ["own=1; own=1", "own=1;own=2", "own=1; own-1=2; own-1=3", " own = 1 ;own=2"]
)
def test_a_name_that_comes_twice_is_not_read(cookie: str) -> None:
    assert OWN.read(call(cookie=cookie)) == ""


@given(st.text(st.characters(codec="latin-1")))
def test_any_cookie_header_is_read(text: str) -> None:
    assert isinstance(OWN.read(call(cookie=text)), str)


def test_the_address_of_the_shop_is_as_the_browser_has_it() -> None:
    assert (
        base_url_of(call("shop.example:8443", scheme="https", prefix="/a")).url
        == "https://shop.example:8443/a"
    )
    for host in ("", "a b", "user@shop.example", "shop.example/x", "shop.example:1:2"):
        with pytest.raises(Invalid, match="Host"):
            _ = base_url_of(call(host)).url

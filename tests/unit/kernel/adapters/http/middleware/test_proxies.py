"""The client is the one that trusted proxies name, read from the right, never one that a stranger names."""

import json
from typing import Any

import pytest

from kernel.adapters.http.conventions.problem import error_answer
from kernel.adapters.http.middleware.fast_path import send_answer
from kernel.adapters.http.middleware.proxies import PREFIX, Origin, behind_proxies, origin_of
from kernel.adapters.networks import Networks
from kernel.domain.errors import NotFound
from kernel.ports.http_answer import HttpAnswer
from tests.unit.kernel.adapters.http.asgi import answered

PROXY, CLIENT, OTHER, FORGED = "10.0.0.1", "203.0.113.7", "203.0.113.8", "198.51.100.9"
TRUSTED = Networks("10.0.0.0/8, 2001:db8:1::/48")


def client(peer: str = PROXY, **headers: str) -> str:
    return origin_of(peer, {name.replace("_", "-"): text for name, text in headers.items()}, TRUSTED).address


def test_two_clients_behind_one_proxy_are_two() -> None:
    assert client(x_forwarded_for=CLIENT) == CLIENT
    assert client(x_forwarded_for=OTHER) == OTHER
    assert client(forwarded=f"for={CLIENT}") == CLIENT


@pytest.mark.parametrize("sent", [{"x_forwarded_for": FORGED}, {"forwarded": f"for={FORGED};proto=https"}])
def test_nobody_else_is_believed(sent: dict[str, str]) -> None:
    assert client(CLIENT, **sent) == CLIENT
    headers = {name.replace("_", "-"): text for name, text in sent.items()}
    assert origin_of(CLIENT, headers, TRUSTED) == Origin(CLIENT)


def test_an_address_that_a_client_forged_stands_left_of_its_own() -> None:
    assert client(x_forwarded_for=f"{FORGED}, {CLIENT}") == CLIENT
    assert client(x_forwarded_for=f"{FORGED}, 10.0.0.9, {CLIENT}, 10.0.0.2") == CLIENT
    assert client(forwarded=f"for={FORGED}, for={CLIENT}, for=10.0.0.2") == CLIENT


@pytest.mark.parametrize("forged", ['"', 'for="', 'for="a', 'for="\\', 'for="\\"', 'for="a, b";c="', '", ,"'])
def test_a_string_that_a_client_leaves_open_hides_nobody(forged: str) -> None:
    assert client(forwarded=f"{forged}, for={CLIENT}") == CLIENT
    assert client(forwarded=f'{forged}, for="[2001:db8:2::5]:80", for=10.0.0.2') == "2001:db8:2::5"
    assert client(x_forwarded_for=f"{forged}, {CLIENT}") == CLIENT


def test_other_parameters_of_a_proxy_are_passed_over() -> None:
    sent = f'by="[2001:db8:1::9]:80"; x-Id_1=a ;for={CLIENT};proto=https'
    assert origin_of(PROXY, {"forwarded": sent}, TRUSTED) == Origin(CLIENT, "https")


def test_empty_elements_of_a_list_are_ignored() -> None:
    assert client(forwarded=f"for={FORGED},, for={CLIENT}, ,") == CLIENT
    assert client(x_forwarded_for=f"{FORGED}, {CLIENT}, , 10.0.0.2,") == CLIENT


def test_the_first_address_is_the_client_where_all_are_trusted() -> None:
    assert client(x_forwarded_for="10.0.0.5, 10.0.0.4") == "10.0.0.5"


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        (f"for={CLIENT}", CLIENT),
        (f'For="{CLIENT}:4711"', CLIENT),
        ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ('proto=https;by=10.0.0.1;for="[2001:DB8:cafe::17]"', "2001:db8:cafe::17"),
        (f'for="_a,b;c", for={CLIENT}', CLIENT),
        ("for=unknown", PROXY),
        ("for=_hidden, for=10.0.0.2", "10.0.0.2"),
        ("proto=https", PROXY),
        (f"for={CLIENT} for={FORGED}", PROXY),
        (f'for="{CLIENT}', PROXY),
        (f"for={FORGED}, nonsense", PROXY),
        (f"for=::ffff:{CLIENT}", CLIENT),
        (f'for="[::ffff:{CLIENT}]"', CLIENT),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(sent: str, address: str) -> None:
    assert client(forwarded=sent) == address


def test_forwarded_goes_before_what_proxies_used_before_it() -> None:
    origin = origin_of(
        PROXY, {"forwarded": f"for={CLIENT}", "x-forwarded-for": OTHER, "x-forwarded-prefix": "/x"}, TRUSTED
    )
    assert origin == Origin(CLIENT)


def test_scheme_and_host_are_those_that_the_outermost_trusted_proxy_saw() -> None:
    sent = (
        f"for={FORGED};host=evil.example, for={CLIENT};proto=https;host=shop.example, for=10.0.0.2;proto=http"
    )
    assert origin_of(PROXY, {"forwarded": sent}, TRUSTED) == Origin(CLIENT, "https", "shop.example")
    lists = {
        "x-forwarded-for": f"{FORGED}, {CLIENT}, 10.0.0.2",
        "x-forwarded-proto": "gopher, https, http",
        "x-forwarded-host": "evil.example, shop.example:8443, inner",
        "x-forwarded-prefix": "/evil, /a, /b/",
    }
    assert origin_of(PROXY, lists, TRUSTED) == Origin(CLIENT, "https", "shop.example:8443", "/a/b")


def test_a_single_scheme_and_host_hold_for_the_whole_way() -> None:
    sent = {"x-forwarded-for": f"{CLIENT}, 10.0.0.2", "x-forwarded-proto": "https", "x-forwarded-host": "a.b"}
    assert origin_of(PROXY, sent, TRUSTED) == Origin(CLIENT, "https", "a.b")
    assert origin_of(PROXY, {"x-forwarded-proto": "https"}, TRUSTED) == Origin(PROXY, "https")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("proto", "javascript"), ("host", "a b"), ("host", "shop.example/x"), ("host", "a\r\nb"),
        ("prefix", "//evil.example"), ("prefix", "/a b"), ("prefix", "shop"), ("prefix", "/<script>"),
        ("prefix", '/"'), ("prefix", "/"),
    ],
)  # fmt: skip
def test_a_malformed_scheme_host_or_prefix_is_left_out(name: str, text: str) -> None:
    sent = {"x-forwarded-for": CLIENT, f"x-forwarded-{name}": text}
    assert origin_of(PROXY, sent, TRUSTED) == Origin(CLIENT)


def test_a_proxy_may_come_by_ipv6_and_by_a_socket_for_both() -> None:
    assert client("2001:db8:1::5", x_forwarded_for=CLIENT) == CLIENT
    assert client("::ffff:10.0.0.1", x_forwarded_for=CLIENT) == CLIENT
    assert client("2001:db8:2::5", x_forwarded_for=CLIENT) == "2001:db8:2::5"
    assert client("", x_forwarded_for=CLIENT) == ""


class Behind:
    """An application behind proxies, and what it sees and sends."""

    def __init__(self, answer: HttpAnswer, *, trusted: Networks = TRUSTED, root_path: str = "") -> None:
        self._answer = answer
        self._app = behind_proxies(self._serve, trusted, root_path)
        self.scope: Any = {}
        self.sent: list[Any] = []

    async def ask(self, path: str = "/orders", peer: str = PROXY, **headers: str) -> None:
        sent = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
        scope = {"client": (peer, 4711), "scheme": "http", "path": path, "raw_path": path.encode()}
        self.sent = await answered(self._app, [(b"host", b"inner"), *sent], **scope)

    async def _serve(self, scope: Any, _: Any, send: Any) -> None:
        self.scope = scope
        await send_answer(self._answer, send)

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


PAGE = HttpAnswer(
    200, "application/json", {"Location": "/orders/1", "Link": '</orders?after=1>; rel="next"'}, b"[]"
)


async def test_the_application_sees_the_client_the_scheme_and_the_host() -> None:
    app = Behind(PAGE)
    await app.ask(forwarded=f"for={CLIENT};proto=https;host=shop.example")
    assert (app.scope["client"], app.scope["scheme"]) == ((CLIENT, 0), "https")
    assert dict(app.scope["headers"])[b"host"] == b"shop.example"
    assert app.headers[b"location"] == b"/orders/1"


async def test_a_trusted_proxy_that_calls_for_itself_has_no_address_that_limits_could_count() -> None:
    app = Behind(PAGE)
    await app.ask()
    assert app.scope["client"] is None


async def test_a_header_of_a_stranger_changes_nothing() -> None:
    app = Behind(PAGE)
    await app.ask(peer=CLIENT, x_forwarded_for=FORGED, x_forwarded_host="evil", x_forwarded_prefix="/evil")
    assert (app.scope["client"], app.scope["scheme"]) == ((CLIENT, 4711), "http")
    assert dict(app.scope["headers"])[b"host"] == b"inner"
    assert PREFIX not in app.scope
    assert app.headers[b"location"] == b"/orders/1"


@pytest.mark.parametrize("path", ["/orders", "/shop/orders"])
async def test_references_lead_below_the_root_path_whether_the_proxy_leaves_it_or_not(path: str) -> None:
    app = Behind(PAGE, trusted=Networks(), root_path="/shop")
    await app.ask(path)
    assert (app.scope["path"], app.scope["raw_path"]) == ("/orders", b"/orders")
    assert app.headers[b"location"] == b"/shop/orders/1"
    assert app.headers[b"link"] == b'</shop/orders?after=1>; rel="next"'


async def test_only_a_whole_segment_is_the_root_path() -> None:
    app = Behind(PAGE, trusted=Networks(), root_path="/shop")
    await app.ask("/shopping")
    assert app.scope["path"] == "/shopping"
    await app.ask("/shop")
    assert (app.scope["path"], app.scope["raw_path"]) == ("/", b"/")


async def test_a_prefix_that_a_trusted_proxy_took_off_goes_before_the_root_path() -> None:
    app = Behind(PAGE, root_path="/shop")
    await app.ask("/orders", x_forwarded_prefix="/orders")
    assert (app.scope["path"], app.scope[PREFIX]) == ("/orders", "/orders")
    assert app.headers[b"location"] == b"/orders/orders/1"


async def test_the_instance_of_a_problem_is_below_it_too() -> None:
    app = Behind(error_answer(NotFound("order_not_found", "none"), "/orders/1"), root_path="/shop")
    await app.ask("/orders/1")
    start, body = app.sent
    assert json.loads(body["body"])["instance"] == "/shop/orders/1"
    assert dict(start["headers"])[b"content-length"] == b"%d" % len(body["body"])


async def test_references_to_elsewhere_stay() -> None:
    app = Behind(HttpAnswer(302, "text/plain", {"Location": "https://a.example/x"}, b""), root_path="/shop")
    await app.ask()
    assert app.headers[b"location"] == b"https://a.example/x"


def test_without_proxies_and_prefix_nothing_is_put_around_the_application() -> None:
    async def app(*_: Any) -> None: ...

    assert behind_proxies(app, Networks()) is app

"""The headers that bind browsers, on every page and answer; and not a word about who answers, or how."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from litestar.types import ASGIApp

from kernel.adapters.http.conventions.problem import error_answer
from kernel.adapters.http.documents import swagger
from kernel.adapters.http.middleware.fast_path import send_answer
from kernel.adapters.http.middleware.proxies import behind_proxies
from kernel.adapters.http.server.server import HttpServer, listen
from kernel.adapters.networks import Networks
from kernel.ports.http_answer import HttpAnswer
from tests.servers import raw
from tests.servers.raw import RawAnswer, request
from tests.servers.shop import SERVICES
from tests.spec.documents.test_health_and_documents_are_served import DOCS, References
from tests.spec.security.conftest import Guarded

CONSTANT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
}
HSTS = "strict-transport-security"
BROWSER = shutil.which("chromium")


def assert_bound(answer: RawAnswer) -> None:
    """Each of the headers is there, once: `raw` takes no header twice."""
    assert CONSTANT.items() <= answer.headers.items()
    assert not {"server", "x-powered-by", HSTS} & answer.headers.keys()
    said = f"{answer.headers} {answer.body[:2000]!r}".lower()
    for word in ("uvicorn", "litestar", "python", "traceback", 'file "'):
        assert word not in said


async def asked(url: str, *parts: bytes, to_head: bool = False) -> RawAnswer:
    async with raw.connected(url) as connection:
        await connection.send(*parts)
        return await connection.answer(to_head=to_head)


PATHS = (
    "/health/live",
    "/schema/openapi.json",
    "/nowhere",
    "/metrics",
    "/swagger-assets/start.js",
    "/swagger",
)
STRANGE = (
    b"nonsense\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x00\r\n\r\n",
)


@pytest.mark.parametrize("service", SERVICES)
async def test_every_answer_of_a_service_has_the_headers_that_bind_browsers(
    guarded: Guarded, service: str
) -> None:
    url = guarded.urls[service]
    for path in (*PATHS, DOCS[service]):
        for method in ("GET", "HEAD", "POST", "OPTIONS", "DELETE"):
            assert_bound(await asked(url, request(path, method=method), to_head=method == "HEAD"))
    for part in STRANGE:
        assert_bound(await asked(url, part))
    assert_bound(await asked(guarded.metrics, request("/metrics")))


async def test_answers_of_fast_paths_and_answers_passed_on_have_these_headers_too(guarded: Guarded) -> None:
    user = await guarded.customer()
    token = f"Authorization: Bearer {guarded.keys.token(user)}"
    order = await guarded.order_of(user)
    body = f'{{"userId": "{user}", "amount": 1}}'.encode()
    for wanted, part in {
        201: request("/orders", token, "Content-Type: application/json", method="POST", body=body),
        200: request(f"/orders/{order}", token),
        400: request("/orders?nonsense=1", token),
        403: request("/orders?userId=another", token),
        404: request("/accounts/another", token),
    }.items():
        answer = await asked(guarded.urls["gateway"], part)
        assert answer.status == wanted
        assert_bound(answer)
    assert_bound(await asked(guarded.urls["gateway"], request(f"/orders/{order}/events", token)))


class Scripts(HTMLParser):
    """The scripts and styles that a page has without asking for a file."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[Any] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and not ("src" in given or "json" in str(given.get("type")))):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("service", SERVICES)
async def test_the_page_may_run_its_own_files_and_nothing_else(guarded: Guarded, service: str) -> None:
    answer = await asked(guarded.urls[service], request(DOCS[service]))
    assert_bound(answer)
    policy = dict(one.strip().split(" ", 1) for one in answer.headers["content-security-policy"].split(";"))
    assert policy.pop("img-src") == "'self' data:"
    assert {name for name, sources in policy.items() if sources == "'self'"} == {
        "script-src", "style-src", "connect-src",
    }  # fmt: skip
    assert {name for name, sources in policy.items() if sources == "'none'"} == {
        "default-src", "base-uri", "form-action", "frame-ancestors",
    }  # fmt: skip
    assert len(policy) == 7
    assert "geolocation=()" in answer.headers["permissions-policy"]
    page = answer.body.decode()
    assert Scripts(page).inline == []
    assert all(reference.startswith("/swagger-assets/") for reference in References(page).found)


def test_no_text_of_a_document_ends_the_data_of_its_page() -> None:
    page = swagger.page("<b>", "/assets", b'{"info":"</script><script>alert(1)</script>"}').decode()
    assert Scripts(page).inline == []
    assert page.count("<script") == 3
    assert "<b>" not in page


@pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")
async def test_a_browser_that_keeps_the_policy_shows_every_operation(
    guarded: Guarded, tmp_path: Path
) -> None:
    assert BROWSER is not None
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    command += ["--virtual-time-budget=5000", "--enable-logging=stderr", "--dump-dom"]
    url = f"{guarded.urls['gateway']}/index.html"
    done = await asyncio.to_thread(
        subprocess.run, [*command, url], capture_output=True, text=True, timeout=60, check=True
    )
    assert set(re.findall(r'data-path="([^"]+)"', done.stdout)) >= {"/orders", "/accounts/{userId}/deposit"}
    assert "CONSOLE" not in done.stderr


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    stop = asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        server = asyncio.create_task(HttpServer(app, listener).run_until(stop))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            await server


@pytest.mark.parametrize(("trusted", "scheme", "bound"), [
    ("127.0.0.1", "https", True), ("127.0.0.1", "http", False), ("10.0.0.1", "https", False),
])  # fmt: skip
async def test_a_client_is_bound_to_https_where_a_trusted_proxy_says_that_it_came_by_it(
    trusted: str, scheme: str, bound: bool
) -> None:
    async def app(_: Any, __: Any, send: Any) -> None:
        await send_answer(HttpAnswer(200, "text/plain", {}, b"x"), send)

    async with serving(behind_proxies(app, Networks(trusted))) as url:
        for method in ("GET", "HEAD"):
            forwarded = request("/", f"Forwarded: for=1.2.3.4;proto={scheme}", method=method)
            answer = await asked(url, forwarded, to_head=method == "HEAD")
            assert answer.headers.get(HSTS) == ("max-age=31536000" if bound else None)


@pytest.mark.parametrize("handled", [True, False])
async def test_no_error_tells_what_went_wrong_inside(handled: bool) -> None:
    async def app(scope: Any, _: Any, send: Any) -> None:
        try:
            raise RuntimeError("hunter2")
        except RuntimeError as error:
            if not handled:
                raise
            await send_answer(error_answer(error, scope["path"]), send)

    async with serving(app) as url:
        answer = await asked(url, request("/"))
    assert_bound(answer)
    assert answer.code == "internal_error"
    assert b"hunter2" not in answer.body

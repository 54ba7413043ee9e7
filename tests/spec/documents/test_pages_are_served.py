"""The files of the pages: short, of this host alone, and current after a release."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.servers.shop import Embedded
from tests.spec.documents.test_health_and_documents_are_served import References
from tests.spec.scenario import Http, expect_problem

STATIC = Path(__file__).parents[3] / "src/gateway/adapters/inbound/pages/static"
FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())
LINES_MAX = 200
MEDIA_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
BYTES_MAX = 150_000
# A part of a module that the browser loads for it.
IMPORTED = re.compile(r"""(?:from |import\()"(\.[^"]+)\"""")


async def test_the_page_is_bound_to_files_of_its_own(embedded: Embedded, http: Http) -> None:
    page = await http.get(f"{embedded.gateway}/")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = dict(one.strip().split(" ", 1) for one in page.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src", "base-uri")} == {
        "'self'"
    }
    for reference in References(page.body.decode()).found:
        found = await http.get(urljoin(f"{embedded.gateway}/", reference))
        assert found.status == 200, reference


@pytest.mark.parametrize("name", FILES)
async def test_a_file_is_sent_again_only_when_it_has_changed(
    embedded: Embedded, http: Http, name: str
) -> None:
    if name == "index.html":
        expect_problem(await http.get(f"{embedded.gateway}/pages/{name}"), 404)
        return
    file = await http.get(f"{embedded.gateway}/pages/{name}")
    assert (file.status, file.headers["Cache-Control"]) == (200, "no-cache")
    assert file.body == (STATIC / name).read_bytes()
    media_type = file.headers["Content-Type"].partition(";")[0]
    assert media_type == MEDIA_TYPES[name.rpartition(".")[2]]
    again = await http(
        "GET", f"{embedded.gateway}/pages/{name}", headers=[("If-None-Match", file.headers["ETag"])]
    )
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "name", ["none.js", "../routes.py", "%2e%2e/routes.py", "core", "core/", "a%00b", "x" * 3000]
)
async def test_a_file_that_does_not_exist_is_not_found(embedded: Embedded, http: Http, name: str) -> None:
    assert (await http.get(f"{embedded.gateway}/pages/{name}")).status == 404


def test_no_script_is_long() -> None:
    scripts = [name for name in FILES if name.endswith(".js")]
    assert [name for name in scripts if len((STATIC / name).read_text().splitlines()) > LINES_MAX] == []


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("role", ["customer", "operator"])
def test_each_page_loads_little(role: str, language: str) -> None:
    views = re.findall(r'import\("\./(\w+\.js)"\)', (STATIC / role / "routes.js").read_text())
    styles = {name for name in FILES if name.endswith(".css") and (role in name or "/" not in name)}
    assert len(views) > 4
    for view in views:
        words = [f"words/{name}{language}.js" for name in ("", "refusals.", f"{role}.")]
        if view == "audit.js":
            words.append(f"words/operator.audit.{language}.js")
        loaded = with_imports({"app.js", f"{role}/{view}", *words}) | styles | {"index.html", "icon.svg"}
        assert sum((STATIC / name).stat().st_size for name in loaded) < BYTES_MAX, view


def with_imports(names: set[str]) -> set[str]:
    """These modules, and all that they need before they can begin."""
    needed, left = set[str](), list(names)
    while left:
        name = left.pop()
        if name in needed:
            continue
        needed.add(name)
        path = STATIC / name
        for one in re.findall(r'from "(\.[^"]+)"', path.read_text()):
            left.append((path.parent / one).resolve().relative_to(STATIC).as_posix())
    return needed


def test_the_page_preloads_every_module_that_its_first_one_imports() -> None:
    page = (STATIC / "index.html").read_text()
    preloaded = re.findall(r'<link rel="modulepreload" href="pages/([^"]+)">', page)
    assert set(preloaded) == with_imports({"app.js"}) - {"app.js"}
    assert len(preloaded) == len(set(preloaded))


def test_every_file_is_loaded_by_another() -> None:
    loaded = set(re.findall(r'(?:href|src)="pages/([^"]+)"', (STATIC / "index.html").read_text()))
    for name in FILES:
        if name.endswith(".js"):
            folder, text = (STATIC / name).parent, (STATIC / name).read_text()
            found = IMPORTED.findall(text)
            loaded |= set(re.findall(r'"([^"]+\.css)"', text))
            loaded |= {(folder / one).resolve().relative_to(STATIC).as_posix() for one in found}
    assert set(FILES) - loaded == {"index.html"}


def test_no_file_makes_html_of_text() -> None:
    makers = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    )
    scripts = [name for name in FILES if name.endswith(".js")]
    assert len(scripts) > 10
    assert [name for name in scripts if makers.search((STATIC / name).read_text())] == []

"""`make audit-deps` names known vulnerabilities, and lists all dependencies of the image."""

import json
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from packaging.requirements import Requirement

from tests.deploy.compose import ROOT
from tests.servers.command import run
from tests.servers.ports import free_port

SBOM = ROOT / ".cache/sbom.json"
KNOWN = {"id": "PYSEC-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "Opens every door."}


def pinned(file: str) -> set[tuple[str, str]]:
    """The dependencies on this system, with this Python."""
    lines = (ROOT / "requirements" / file).read_text().splitlines()
    found = [Requirement(line.rstrip("\\")) for line in lines if re.match(r"[\w.-]+==", line)]
    return {
        (pin.name, str(pin.specifier).removeprefix("=="))
        for pin in found
        if pin.marker is None or pin.marker.evaluate()
    }


@pytest.fixture(scope="module")
async def auditor() -> None:
    code, said = await run("make", "--silent", ".cache/audit/.ready", cwd=ROOT)
    if code != 0:
        pytest.skip(f"what looks for vulnerabilities cannot be installed: {said.strip()[-500:]}")


@pytest.fixture
async def index() -> AsyncIterator[str]:
    """The URL of an index that knows a vulnerability of msgspec, and none of anything else."""

    async def answer(request: web.Request) -> web.Response:
        asked = (await request.json())["package"]
        affected = [{"package": asked, "ranges": [], "versions": []}]
        return web.json_response(
            {"vulns": [KNOWN | {"affected": affected}]} if asked["name"] == "msgspec" else {}
        )

    app, port = web.Application(), free_port()
    app.router.add_post("/query", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}/query"
    await runner.cleanup()


async def audit(index: str) -> tuple[int, str]:
    return await run("make", "--silent", "audit-deps", f"ARGS=-s osv --osv-url {index}", cwd=ROOT)


@pytest.mark.usefixtures("auditor")
async def test_a_known_vulnerability_is_named_and_all_dependencies_are_listed(index: str) -> None:
    code, said = await audit(index)
    assert code != 0
    assert "Found 1 known vulnerability in 1 package" in said
    assert re.search(rf"^msgspec +\S+ +{KNOWN['id']}", said, re.MULTILINE)
    listed = json.loads(SBOM.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert {(part["name"], part["version"]) for part in listed["components"]} == pinned("runtime.txt")


@pytest.mark.usefixtures("auditor")
async def test_without_an_index_one_line_says_so() -> None:
    code, said = await audit(f"http://127.0.0.1:{free_port()}/query")
    assert code != 0
    line, *others = [line for line in said.splitlines() if not line.startswith("make")]
    assert line.startswith("No index that knows of vulnerabilities answers: ")
    assert others == []


def test_nothing_that_is_pinned_names_where_it_came_from() -> None:
    for path in sorted((ROOT / "requirements").iterdir()):
        assert "://" not in path.read_text(), path.name

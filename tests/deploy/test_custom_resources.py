"""The objects that operators read, in deploy/k8s, against the types that npm has of their schemas.

An object becomes a constant of its kind's type, so that the TypeScript compiler refuses an unknown field
and a wrong type. After a change of versions in types/package.json: `npm install --package-lock-only` there.
"""

import copy
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT
from tests.deploy.manifests import CUSTOM, Object, is_custom, name_of, rendered

TYPES = Path(__file__).parent / "types"
INSTALL_S_MAX = 300
# A lock that is wrong must fail; only a machine without a network is excused.
UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b")


@pytest.fixture(scope="module")
def installed() -> Path:
    """A folder with the compiler and the types, installed once for each lock. Skips where npm cannot."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    lock = (TYPES / "package-lock.json").read_bytes()
    folder = ROOT / ".cache" / f"types-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (folder / "node_modules").exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            part = shutil.copytree(TYPES, Path(scratch) / "types")
            done = subprocess.run(
                ["npm", "ci"], cwd=part, capture_output=True, text=True, timeout=INSTALL_S_MAX, check=False
            )
            if UNREACHABLE.search(done.stderr):
                pytest.skip("npm reaches no registry")
            assert done.returncode == 0, done.stderr
            with suppress(OSError):  # Another process was first.
                part.rename(folder)
    shutil.copy(TYPES / "kept-by-hand.d.ts", folder)
    return folder


def custom(overlay: str = "production") -> list[Object]:
    return [thing for thing in rendered(overlay) if is_custom(thing)]


def faults(things: list[Object], installed: Path, tmp_path: Path) -> dict[int, str]:
    """What the compiler says of an object, by its place in the list."""
    lines = [
        f"const o{number}: {type_of(thing)} = {json.dumps(thing)};" for number, thing in enumerate(things)
    ]
    source = installed / f"{tmp_path.name}.ts"
    source.write_text("\n".join(lines))
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"]
    try:
        checked = subprocess.run(
            ["node_modules/.bin/tsc", *options, source.name], cwd=installed, capture_output=True, text=True
        )
    finally:
        source.unlink()
    said = re.findall(r"^\S+\((\d+),\d+\): error (.*)$", checked.stdout, re.MULTILINE)
    assert bool(said) == bool(checked.returncode), checked.stdout
    return {int(line) - 1: error for line, error in said}


def type_of(thing: Object) -> str:
    package = CUSTOM[thing["apiVersion"].rpartition("/")[0]]
    path = f"{package}/{thing['apiVersion']}/{thing['kind']}" if package else "./kept-by-hand.d.ts"
    return f'import("{path}").I{thing["kind"]}'


def test_every_object_is_of_its_kinds_type(installed: Path, tmp_path: Path) -> None:
    things = custom()
    assert {thing["apiVersion"].rpartition("/")[0] for thing in things} == set(CUSTOM)
    assert faults(things, installed, tmp_path) == {}


def test_a_wrong_field_in_any_object_is_seen(installed: Path, tmp_path: Path) -> None:
    things = copy.deepcopy(custom())
    for thing in things:
        thing["spec"]["wrongField"] = "planted"
    seen = faults(things, installed, tmp_path)
    assert [name_of(thing) for number, thing in enumerate(things) if number not in seen] == []
    assert all("wrongField" in error for error in seen.values())


def test_the_dev_overlay_needs_no_operator() -> None:
    assert custom("dev") == []

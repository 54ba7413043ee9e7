"""Checks objects of deployments with the TypeScript compiler, by types from npm.

An object becomes a constant of its type, so the compiler refuses unknown fields and wrong types.
After a change of versions in types/package.json: `npm install --package-lock-only` there.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT

TYPES = Path(__file__).parent / "types"
INSTALL_S_MAX = 300
# A test is skipped only without a network. A wrong lock has to fail.
UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b")


def install() -> Path:
    """A folder with the compiler and the types, installed once per lock. Skips the test without a network."""
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
            with suppress(OSError):  # Another process has installed it.
                part.rename(folder)
    shutil.copy(TYPES / "kept-by-hand.d.ts", folder)
    return folder


def compiled(lines: Sequence[str], installed: Path, tmp_path: Path) -> dict[int, str]:
    """The compiler's messages, by line."""
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

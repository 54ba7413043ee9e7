"""Extracts the code of the previous version from a commit with `git archive`, and runs services of it."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zipfile import ZipFile

from tests.servers.shop import ThreeServices

# The last commit without a time limit for payment of orders (migrations: orders 5, payments 4).
BEFORE = "4f3357ba7b9465ebe856f56aa1ff83f3c089a20f"
ROOT = Path(__file__).parents[2]


def extract_before(folder: Path) -> str:
    """Extracts the commit into `folder`. Returns "", or git's error text if the clone lacks the commit."""
    git = shutil.which("git")
    if git is None:
        return "git is not installed"
    folder.mkdir()
    archive = folder / "tree.zip"
    # The clone may belong to another user than the one who runs the tests, for example when CI runs as root.
    command = (git, "-c", "safe.directory=*", "archive", f"--output={archive}", BEFORE, "src", "migrations")
    archived = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if archived.returncode == 0:
        with ZipFile(archive) as tree:
            tree.extractall(folder)
    return archived.stderr


@asynccontextmanager
async def of_before(shop: ThreeServices, service: str, code: Path) -> AsyncIterator[None]:
    """During the block, the previous version of the service runs on the current schema."""
    today = shop.processes[service]
    if today.runs:
        await today.terminate()
    before = shop.serve(service, ready_at=[shop.urls[service]], PYTHONPATH=str(code / "src"))
    try:
        await before.start()
        yield
    finally:
        await before.stop()
        await today.start()

"""The gateway's document is good enough for others to work with: a client that is generated from it works."""

from pathlib import Path

import pytest

from tests.servers.command import run
from tests.servers.shop import Embedded

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "openapi" / "gateway.json"
SCENARIO = Path(__file__).with_name("client_scenario.py")


@pytest.fixture(scope="module")
async def python() -> Path:
    """The Python of an environment with the generator, installed once; this needs a package index."""
    code, said = await run("make", "--silent", ".cache/client/.ready", cwd=ROOT)
    if code != 0:
        pytest.skip(f"the generator of clients cannot be installed: {said.strip()[-500:]}")
    return ROOT / ".cache" / "client" / "bin" / "python"


async def test_a_generated_client_walks_the_scenario(
    embedded: Embedded, python: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.yml").write_text("post_hooks: []\n")
    code, said = await run(
        *(python, "-m", "openapi_python_client", "generate", "--path", DOCUMENT, "--fail-on-warning"),
        *("--meta", "none", "--config", "config.yml", "--output-path", "shop_client"),
        cwd=tmp_path,
    )
    assert code == 0, said
    walk = (python, SCENARIO, embedded.gateway)
    code, said = await run(*walk, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert code == 0, said

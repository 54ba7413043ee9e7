"""The services do what their OpenAPI documents say.

schemathesis asks what the documents allow, and much that they do not, follows their links, and judges each
answer.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.servers.command import run
from tests.servers.shop import SERVICES, Embedded

ROOT = Path(__file__).parents[3]
CONFIG = Path(__file__).with_name("schemathesis.toml")
# The same requests in every run; SPEC_SEED makes others.
SEED = os.environ.get("SPEC_SEED", "1")
EXAMPLES_PER_OPERATION = 5


@pytest.mark.parametrize("service", SERVICES)
async def test_every_answer_is_one_that_the_document_describes(
    embedded: Embedded, service: str, tmp_path: Path
) -> None:
    url = f"{embedded.urls[service]}/schema/openapi.json"
    print(f"SPEC_SEED={SEED}")
    code, said = await run(
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run", url, "--no-color"),
        *("--checks=all", "--continue-on-failure"),
        *(f"--seed={SEED}", f"--max-examples={EXAMPLES_PER_OPERATION}"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert code == 0, said

"""schemathesis asks what a service's document allows, and much that it does not, follows its links, and
judges each answer."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.servers.command import run

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).parent
# The same requests in every run; SPEC_SEED makes others.
SEED = os.environ.get("SPEC_SEED", "1")


async def judged(url: str, cwd: Path, *, examples: int, tokens: Sequence[str] = ()) -> tuple[int, str]:
    """The exit code of schemathesis, 0 where all is well, and what it says; `examples` of each operation, or
    as many as FUZZ_EXAMPLES says. With tokens, each request bears the next of them; the empty one is none."""
    print(f"SPEC_SEED={SEED}")
    config = FOLDER / ("schemathesis_with_tokens.toml" if tokens else "schemathesis.toml")
    return await run(
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "run"),
        *(f"{url}/schema/openapi.json", "--no-color", "--checks=all", "--continue-on-failure"),
        *(f"--seed={SEED}", f"--max-examples={os.environ.get('FUZZ_EXAMPLES') or examples}"),
        # The other phases send what they send whoever asks.
        *(("--phases=fuzzing",) if tokens else ()),
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SPEC_TOKENS": ",".join(tokens)},
    )

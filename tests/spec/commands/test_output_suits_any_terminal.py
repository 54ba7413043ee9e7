"""A command on any terminal: its output may be of any encoding, closed, full, or no longer read."""

import json
import os
import shlex
import sys
from pathlib import Path

from tests.servers.command import run
from tests.servers.ports import free_port
from tests.servers.process import answers_ready, eventually
from tests.servers.shop import Embedded
from tests.spec.scenario import for_each

FULL = (1, "Error: the output cannot be written: No space left on device\n")
CLOSED = (1, "Error: the output cannot be written: Bad file descriptor\n")
OUTPUTS = [
    ("shop --help > /dev/full", FULL),
    ("shop audit > /dev/full", FULL),
    ("PYTHONUNBUFFERED=1 shop migrate all --json > /dev/full", FULL),
    ("shop --version >&-", CLOSED),
    # The command cannot tell what went wrong, only that something did.
    ("shop --help > /dev/full 2> /dev/full", (1, "")),
    ("shop nonsense 2>&-", (2, "")),
    # Nobody reads on: `true` has ended before anything is written.
    ("shop --help | true", (1, "")),
    # Nothing was lost.
    ("shop dead-letters list > /dev/null 2>&- <&-", (0, "")),
]
ENCODINGS = [
    ("demo", {"PYTHONIOENCODING": "latin-1"}, "latin-1"),
    ("demo --json", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "ascii"),
]
PROCESSES_AT_ONCE = 3


async def shell(line: str, settings: dict[str, str]) -> tuple[int, str]:
    """The exit code and the output of a line of bash, in which `shop` is the command."""
    bash = f'set -o pipefail; shop() {{ {shlex.quote(sys.executable)} -m shop "$@"; }}; {line}'
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return await run("bash", "-c", bash, cwd=Path("/"), env=kept | settings)


async def test_output_that_is_lost_is_one_line_and_a_failure(embedded: Embedded) -> None:
    async def ends(row: tuple[str, tuple[int, str]]) -> None:
        line, expected = row
        assert await shell(line, embedded.settings) == expected

    await for_each(OUTPUTS, ends, at_once=PROCESSES_AT_ONCE)


async def test_a_character_that_the_encoding_lacks_is_replaced(embedded: Embedded) -> None:
    async def succeeds(row: tuple[str, dict[str, str], str]) -> None:
        command, variables, encoding = row
        code, said = await shell(f"shop {command}", embedded.settings | variables)
        assert code == 0, said
        assert said.encode().decode(encoding)
        assert not command.endswith("--json") or json.loads(said)["holds"]

    await for_each(ENCODINGS, succeeds, at_once=PROCESSES_AT_ONCE)


async def test_a_service_serves_though_all_its_streams_are_closed(scratch: Path) -> None:
    port = free_port()
    settings = {"GATEWAY_PORT": str(port)}
    process = scratch / "closed.pid"
    line = f"exec {shlex.quote(sys.executable)} -m shop serve gateway >&- 2>&- <&-"
    try:
        await shell(f"({line}) & echo $! > {process}", settings)
        await eventually(lambda: answers_ready(f"http://127.0.0.1:{port}"), within=30)
    finally:
        os.kill(int(process.read_text()), 15)

"""Plays the walk-through of README.md against a running shop: the very commands, the very answers.

    python3 deploy/walkthrough.py [http://localhost:5003]

Ids, times and the user's name are new each time; all else has to be what README.md shows, digit by digit.
The shop has 60 s to get ready, what comes "a moment later" 15 s. Needs curl and Python's standard library.
Exit code 0 only for success.
"""

import json
import re
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

README = Path(__file__).parents[1] / "README.md"
SHOWN_AT = "localhost:5003"
LATER = "a moment later"
LATER_S_MAX = 15.0
READY_S_MAX = 60
NEW_EACH_TIME = {"id", "transactionId", "createdAt", "updatedAt"}


def steps(readme: str) -> list[tuple[str, str]]:
    """(command, answer) of the console block."""
    (block,) = re.findall(r"```console\n(.*?)```", readme, re.DOTALL)
    commands = re.findall(r"^\$ (.*?[^\\])\n(.*?)(?=\n\n|\n*\Z)", block, re.DOTALL | re.MULTILINE)
    assert len(commands) == block.count("$ "), "a command shows no answer"
    return commands


def play(shop: str, readme: str) -> None:
    """Raises AssertionError for the first answer that is not as shown."""
    run(f"curl -f -o /dev/null --retry {READY_S_MAX} --retry-delay 1 --retry-all-errors {shop}/health/ready")
    user = f"alice-{uuid4().hex[:12]}"
    for command, shown in steps(readme):
        print(f"$ {command}")
        here = command.replace(SHOWN_AT, shop.removeprefix("http://")).replace("alice", user)
        deadline = time.monotonic() + (LATER_S_MAX if LATER in command else 0.0)
        while (answer := run(here)) and not same(answer, shown, user):
            assert time.monotonic() < deadline, f"README.md shows\n{shown}\nbut the answer was\n{answer}"
            time.sleep(0.1)
        print(f"{answer}\n")


def run(command: str) -> str:
    done = subprocess.run(["sh", "-c", command.replace("curl ", "curl -sS ")], capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def same(answer: str, shown: str, user: str) -> bool:
    return comparable(answer.replace(user, "alice")) == comparable(shown)


def comparable(text: str) -> Any:
    """The JSON without what is new each time; 50.10 is not 50.1."""

    def known(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: "…" if name in NEW_EACH_TIME else value for name, value in pairs}

    return json.loads(text, object_pairs_hook=known, parse_float=lambda digits: Decimal(digits).as_tuple())


if __name__ == "__main__":
    try:
        play(*sys.argv[1:] or [f"http://{SHOWN_AT}"], README.read_text())
    except AssertionError as difference:
        sys.exit(str(difference))
    print("The shop answers as README.md says.")

"""Runs the commands of README.md's walk-through against a running shop, and compares the answers.

    python3 deploy/walkthrough.py [http://localhost:5003]

Ids, times and the user's name are new each time; all else has to be what README.md shows, digit by digit.
Where SHOP_TOKEN, the token of an operator, is set, every command sends it.
The shop has 60 s to get ready. A read is repeated for up to 15 s, because orders are paid asynchronously.
Needs curl and Python's standard library.
Exit code 0 only for success.
"""

import json
import os
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
CHANGES = re.compile(r"\s(-d|-X)\s")
READ_S_MAX = 15.0
READY_S_MAX = 60
NEW_EACH_TIME = {"id", "transactionId", "createdAt", "updatedAt"}
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def steps(readme: str) -> list[tuple[str, str]]:
    """(command, answer) of the console block."""
    (block,) = re.findall(r"```console\n(.*?)```", readme, re.DOTALL)
    return re.findall(r"^\$ (.*?[^\\])\n(.*?)(?=\n\n|\n*\Z)", block, re.DOTALL | re.MULTILINE)


def play(shop: str, readme: str) -> None:
    """Raises SystemExit, with both texts, for the first answer that is not as shown."""
    run(f"curl -f -o /dev/null --retry {READY_S_MAX} --retry-delay 1 --retry-all-errors {shop}/health/ready")
    user = f"alice-{uuid4().hex[:12]}"
    ids: dict[str, str] = {}
    for command, shown in steps(readme):
        print(f"$ {command}")
        here = command.replace(SHOWN_AT, shop.removeprefix("http://")).replace("alice", user)
        for shown_id, actual_id in ids.items():
            here = here.replace(shown_id, actual_id)
        deadline = time.monotonic() + (0.0 if CHANGES.search(command) else READ_S_MAX)
        while not same(answer := run(here).replace(user, "alice"), shown):
            if time.monotonic() > deadline:
                sys.exit(f"README.md shows\n{shown}\nbut the answer was\n{answer}")
            time.sleep(0.1)  # Payment is asynchronous: asked again until the deadline.
        ids |= zip(ID.findall(shown), ID.findall(answer), strict=True)
        print(f"{answer}\n")


def run(command: str) -> str:
    token = os.environ.get("SHOP_TOKEN")
    # The token goes through standard input, since other users may read the arguments of a process.
    curl = "curl -sS -H @- " if token else "curl -sS "
    done = subprocess.run(
        ["sh", "-c", command.replace("curl ", curl)],
        input=f"Authorization: Bearer {token}\n" if token else "",
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{command}\n{done.stderr}")
    return done.stdout


def same(answer: str, shown: str) -> bool:
    """Whether both are the same JSON, except for what is new each time; 50.10 is not 50.1."""
    try:
        return comparable(answer) == comparable(shown)
    except ValueError:
        return False


def comparable(text: str) -> Any:
    def known(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: "…" if name in NEW_EACH_TIME else value for name, value in pairs}

    return json.loads(text, object_pairs_hook=known, parse_float=lambda digits: Decimal(digits).as_tuple())


if __name__ == "__main__":
    play(*sys.argv[1:] or [f"http://{SHOWN_AT}"], README.read_text())
    print("The shop answers as README.md says.")

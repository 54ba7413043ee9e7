"""Builds deploy/Dockerfile without an engine: runs its instructions, with a folder as the root."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.deploy.compose import ROOT, arguments, environment, stage
from tests.servers.process import Process

UV = ROOT / ".cache/uv/bin/uv"
BUILD, FINAL = 1, -1
NOBODY = 65534


def python_for_everybody() -> str:
    """A Python of this machine that a user without rights may run. Raises LookupError if there is none."""
    for path in (sys._base_executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        program = Path(path).resolve()
        if not program.exists() or not all(folder.stat().st_mode & 1 for folder in program.parents):
            continue
        is_new = "import sys; sys.exit(sys.version_info < (3, 11))"
        if subprocess.run([program, "-c", is_new], check=False).returncode == 0:
            return str(program)
    raise LookupError("no Python 3.11 or newer that a user without rights may run, too")


class Image:
    """The files of the final stage below `root`: /app and /opt/venv, which are read-only."""

    def __init__(self, root: Path, python: str) -> None:
        self.root = root
        self._python = python
        self.environment = {name: self.mapped(text) for name, text in environment(FINAL).items()}
        # The base image is not here, but its Python has the same path.
        self.environment["PATH"] = self.environment["PATH"].replace("$PATH", "/usr/bin:/bin")

    def mapped(self, text: str) -> str:
        """The text with the paths of the image below our root."""
        return re.sub(r"(?<![\w/])/(app|opt/venv)\b", rf"{self.root}/\1", text)

    def build(self) -> None:
        """Runs COPY and RUN of the build stage one by one. uv is that of `make` instead of pip's."""
        (self.root / "app").mkdir(parents=True)
        for word, rest in stage(BUILD):
            if word == "COPY":
                *sources, target = rest.split()
                for source in sources:
                    self._copy(ROOT / source, self.root / "app" / target)
            elif word == "RUN" and not rest.startswith("pip install"):
                self._run(self.mapped(rest).replace("/usr/local/bin/python3", self._python))
        subprocess.run(
            ["chmod", "-R", "a+rX,a-w", str(self.root / "app"), str(self.root / "opt")], check=True
        )

    def remove(self) -> None:
        subprocess.run(["chmod", "-R", "u+w", str(self.root)], check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def _copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    def _run(self, command: str) -> None:
        variables = {name: self.mapped(text) for name, text in environment(BUILD).items()}
        # The cache is that of `make`, which has every wheel already.
        del variables["UV_NO_CACHE"]
        variables["UV_CACHE_DIR"] = str(ROOT / ".cache/uv-cache")
        variables["PATH"] = f"{UV.parent}:{self.root}/opt/venv/bin:/usr/local/bin:/usr/bin:/bin"
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.root / "app",
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"RUN {command}\n{done.stdout}{done.stderr}"

    def process(
        self, *command: str, variables: Mapping[str, str], logs: Path, ready_at: Iterable[str] = ()
    ) -> Process:
        """A container of the image with this command and these variables, as a process to be started."""
        (entry,) = json.loads(arguments("ENTRYPOINT")[0])
        program = shutil.which(entry, path=self.environment["PATH"])
        assert program, f"{entry} is not on the image's path"
        container = Container(
            *command, settings={**self.environment, **variables}, logs=logs, ready_at=ready_at
        )
        container.program = (f"{self.root}/opt/venv/bin/python", program)
        return container


class Container(Process):
    """A process like in a container: with only the declared variables, and a user without rights."""

    inherits = ()
    rights = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}

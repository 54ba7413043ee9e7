"""Starts processes of the shop, watches them, and ends them gracefully or by SIGKILL."""

import asyncio
import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

# The child asks the kernel to kill it together with its parent, then becomes the command. (A preexec_fn would
# do, but forking a process that has threads warns from Python 3.12 on.)
_TIED = (
    "import ctypes, os, sys\n"
    "if sys.platform == 'linux': ctypes.CDLL(None).prctl(1, 9)\n"
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


class StartFailed(AssertionError):
    """A process failed or was not ready in time. The message contains its last output."""


async def eventually(condition: Callable[[], Any], *, within: float = 10, every: float = 0.05) -> Any:
    """Calls `condition` until its result is true, and returns the result. The result may be awaitable. An
    AssertionError counts as false. Raises AssertionError with the last result after `within` seconds.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            answer = condition()
            value = await answer if inspect.isawaitable(answer) else answer
            if value:
                return value
            last = repr(value)
        except StartFailed:
            raise
        except AssertionError as error:
            last = str(error)
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s; at last: {last}")
        await asyncio.sleep(every)


async def answers_ready(url: str) -> bool:
    """Whether the readiness check of the server at this base URL succeeds."""
    try:
        async with aiohttp.request(
            "GET", f"{url}/health/ready", timeout=aiohttp.ClientTimeout(total=2)
        ) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def descendants(pid: int, *, zombies: bool = False) -> set[int]:
    """The ids of the process's descendants, from /proc. With `zombies`, zombies are included."""
    parents = {child: parent for child, parent, state in _processes() if zombies or state != "Z"}
    found: set[int] = set()
    generation = {pid}
    while generation := {child for child, parent in parents.items() if parent in generation}:
        found |= generation
    return found


def alive(pids: Iterable[int]) -> set[int]:
    """Those of the given process ids that still run; zombies are left out."""
    return {pid for pid, _, state in _processes() if state != "Z"} & set(pids)


def _processes() -> list[tuple[int, int, str]]:
    """(pid, parent, state) of every process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
            continue
        found.append((int(stat.parent.name), int(parent), state))
    return found


class Process:
    """One `shop …` process. All output, also after a restart, is appended to the same files."""

    program: tuple[str, ...] = (sys.executable, "-m", "shop")
    inherits: tuple[str, ...] = ("PATH", "HOME", "SHOP_PG_BIN")
    rights: Mapping[str, Any] = {}

    def __init__(
        self, *arguments: str, settings: Mapping[str, str], logs: Path, ready_at: Iterable[str] = ()
    ) -> None:
        self.arguments = arguments
        self._ready_at = tuple(ready_at)
        self._environment = {
            **{name: os.environ[name] for name in self.inherits if name in os.environ},
            **settings,
        }
        logs.mkdir(parents=True, exist_ok=True)
        name = "-".join(word.strip("-") for word in arguments) or "shop"
        number = len(list(logs.glob("*.err")))
        self._stdout, self._stderr = (logs / f"{number:02}-{name}.{kind}" for kind in ("out", "err"))
        self._stderr.touch()
        self._popen: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        """Starts the process without waiting for it."""
        python, *program = self.program
        with self._stdout.open("ab") as stdout, self._stderr.open("ab") as stderr:
            self._popen = subprocess.Popen(
                [python, "-c", _TIED, *program, *self.arguments],
                env=self._environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                **self.rights,
            )

    async def start(self, *, within: float = 30) -> None:
        """Starts the process, and waits until everything that it serves is ready.

        Raises StartFailed, with the process's output.
        """
        self.spawn()
        await self.ready(within=within)

    async def ready(self, *, within: float = 30) -> None:
        async def serves() -> bool:
            if self.exit_code is not None:
                raise StartFailed(f"{self} ended with {self.exit_code}:\n{self.last_words}")
            return all([await answers_ready(url) for url in self._ready_at])

        try:
            await eventually(serves, within=within)
        except StartFailed:
            raise
        except AssertionError as late:
            raise StartFailed(f"{self} was not ready within {within} s:\n{self.last_words}") from late

    async def ended(self, *, within: float = 30) -> int:
        """Waits until the process ends by itself. Returns its exit code."""
        try:
            await eventually(lambda: self.exit_code is not None, within=within, every=0.02)
        except AssertionError as late:
            raise AssertionError(f"{self} still runs after {within} s:\n{self.last_words}") from late
        assert self.exit_code is not None
        return self.exit_code

    async def run(self, *, within: float = 30) -> int:
        """Starts the process, and waits until it ends by itself. Returns its exit code."""
        self.spawn()
        return await self.ended(within=within)

    async def succeed(self, *, within: float = 30) -> None:
        """Runs the process to its end. Raises StartFailed with its output if its exit code is not 0."""
        if await self.run(within=within) != 0:
            raise StartFailed(f"{self} ended with {self.exit_code}:\n{self.last_words}")

    async def terminate(self, *, within: float = 10) -> int:
        """Sends SIGTERM, and waits until the process has ended. Returns its exit code."""
        self._running.send_signal(signal.SIGTERM)
        return await self.ended(within=within)

    def kill(self) -> None:
        """Kills the process with SIGKILL, as the kernel's out-of-memory killer does."""
        self._running.kill()
        self._running.wait()

    async def stop(self) -> None:
        """Ends the process after the tests: with SIGTERM, and with SIGKILL if that fails."""
        if self.runs:
            try:
                await self.terminate()
            except AssertionError:
                self.kill()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._popen is not None, f"{self} was not started"
        return self._popen

    @property
    def runs(self) -> bool:
        return self._popen is not None and self.exit_code is None

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def exit_code(self) -> int | None:
        return self._running.poll()

    @property
    def stdout(self) -> str:
        return self._stdout.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        return self._stderr.read_text(errors="replace")

    @property
    def last_words(self) -> str:
        return f"--- {self._stdout}\n{self.stdout[-3000:]}\n--- {self._stderr}\n{self.stderr[-3000:]}"

    def __str__(self) -> str:
        return f"`shop {' '.join(self.arguments)}`"


async def start_together(processes: Iterable[Process]) -> None:
    """Starts the processes, and waits until all are ready. Raises StartFailed with its output if one
    fails."""
    processes = list(processes)
    for process in processes:
        process.spawn()
    await asyncio.gather(*(process.ready() for process in processes))

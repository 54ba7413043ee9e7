"""Starts child processes that run without root's rights and end with this process."""

import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from pwd import struct_passwd
from typing import IO

from kernel.adapters.embedded.account import Account, EmbeddedPostgresError
from kernel.adapters.embedded.name import name_to_take, nameless, take_name

_ON_LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_RUN_TIMEOUT_S = 120
_WATCHER = "import os, sys; sys.stdin.read(); os.kill(int(sys.argv[1]), int(sys.argv[2]))"


def spawn(
    command: Sequence[str | Path],
    account: Account,
    *,
    output: int | IO[bytes],
    end_signal: signal.Signals,
    stdin: int = subprocess.DEVNULL,
    fds: Sequence[int] = (),
    named: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a child. Linux sends it `end_signal` when the calling thread dies; elsewhere, call `watch`.

    The child has a session of its own, so that a Ctrl-C in the terminal does not reach it: the parent decides
    in which order things stop. A `named` child has a name for its user id, even if /etc/passwd has none.
    """
    name = name_to_take(account) if named else None
    # English messages, no search for the local time zone, and none of the caller's PG* variables.
    kept = {variable: text for variable, text in os.environ.items() if not variable.startswith("PG")}
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**kept, "LC_ALL": "C", "TZ": "UTC"},
        cwd="/",
        pass_fds=fds,
        start_new_session=True,
        user=account.uid,
        group=account.gid,
        extra_groups=[] if account.is_other else None,
        preexec_fn=partial(_before_exec, os.getpid(), end_signal, name) if _ON_LINUX else None,
    )


def run(
    command: Sequence[str | Path],
    account: Account,
    *,
    stdin: str = "",
    fds: Sequence[int] = (),
    named: bool = False,
) -> None:
    """Run a child until it ends, `named` as in `spawn`.

    Raises EmbeddedPostgresError with the end of its output if it fails, and if it takes two minutes.
    """
    name = Path(command[0]).name
    try:
        process = spawn(
            command,
            account,
            output=subprocess.PIPE,
            end_signal=signal.SIGKILL,
            stdin=subprocess.PIPE,
            fds=fds,
            named=named,
        )
    except subprocess.SubprocessError as error:
        raise nameless() from error
    with process:
        try:
            said, _ = process.communicate(stdin.encode(), timeout=_RUN_TIMEOUT_S)
        except BaseException as error:
            process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise EmbeddedPostgresError(f"{name} did not end within {_RUN_TIMEOUT_S} s") from error
            raise
    if process.returncode != 0:
        raise EmbeddedPostgresError(f"{name} failed: {last_words(said)}")


def watch(process: subprocess.Popen[bytes], end_signal: signal.Signals) -> subprocess.Popen[bytes] | None:
    """Except on Linux: starts a watcher, which signals the child when our end of a pipe closes."""
    return None if _ON_LINUX else start_watcher(process.pid, end_signal)


def start_watcher(pid: int, end_signal: signal.Signals) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-c", _WATCHER, str(pid), str(int(end_signal))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, cwd="/", start_new_session=True)


def last_words(said: bytes) -> str:
    """The last three lines of a log as one line, without time and pid."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()][-3:]
    return " | ".join(re.sub(r"^\S+ \S+ \S+ \[\d+\] ", "", line) for line in lines) or "it said nothing"


def _before_exec(parent: int, end_signal: int, name: struct_passwd | None) -> None:
    """Runs in the child after it changed its user, because changing the user clears the death signal."""
    # Python's own handler would swallow a SIGINT that comes before the exec.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if name is not None:
        take_name(name)
    _LIBC.prctl(_PR_SET_PDEATHSIG, end_signal)
    if os.getppid() != parent:
        os._exit(1)

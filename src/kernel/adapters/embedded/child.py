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
    """Starts a child. When the calling thread dies, Linux sends `end_signal`; on other systems, call `watch`.

    The child has its own session. Otherwise a Ctrl-C in the terminal would stop the child before its parent
    wants this. A `named` child gets a name for its user id if /etc/passwd has none.
    """
    name = name_to_take(account) if named else None
    # English messages, no search for the local time zone, and no PG* variables of this process.
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
    """Runs a child until it ends. The parameters are those of `spawn`; `stdin` is the child's input.

    Raises EmbeddedPostgresError, with the end of the output, if the child fails; also after 120 s.
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
    """Starts a watcher, except on Linux. It signals the child when this process dies, and its pipe closes."""
    return None if _ON_LINUX else start_watcher(process.pid, end_signal)


def start_watcher(pid: int, end_signal: signal.Signals) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-c", _WATCHER, str(pid), str(int(end_signal))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, cwd="/", start_new_session=True)


def last_words(said: bytes) -> str:
    """Joins the last three lines of a log into one line, without time and pid."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()][-3:]
    return " | ".join(re.sub(r"^\S+ \S+ \S+ \[\d+\] ", "", line) for line in lines) or "it said nothing"


def _before_exec(parent: int, end_signal: int, name: struct_passwd | None) -> None:
    """Runs in the child after the change of its user, because that change clears the death signal."""
    # Python's handler would swallow a SIGINT before the exec.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if name is not None:
        take_name(name)
    _LIBC.prctl(_PR_SET_PDEATHSIG, end_signal)
    if os.getppid() != parent:
        os._exit(1)

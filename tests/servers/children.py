"""Starts servers as child processes of the tests, waits until they are ready, and ends them."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

STOP_S_MAX = 20.0

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class NotStarted(Exception):
    """A server ended during its start, or was not ready in time. The text is one sentence for people."""


def spawn(
    command: list[str],
    output: int,
    on_our_death: signal.Signals,
    environment: dict[str, str],
    directory: Path,
) -> subprocess.Popen[bytes]:
    """Starts a child in a new session, so that Ctrl-C does not reach it. On Linux it dies with us."""
    parent = os.getpid()

    def die_with_parent() -> None:
        if _libc is not None:
            _libc.prctl(1, on_our_death)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os._exit(1)

    return subprocess.Popen(
        command,
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def wait_until(ready: Callable[[], bool], child: subprocess.Popen[bytes], wait_s: float, name: str) -> None:
    """Waits until `ready()` is true. Raises NotStarted if the child ends first, or after `wait_s`."""
    deadline = time.monotonic() + wait_s
    while not ready():
        if child.poll() is not None:
            raise NotStarted(f"{name} ended at its start with code {child.returncode}.")
        if time.monotonic() > deadline:
            raise NotStarted(f"{name} was not ready within {wait_s:.0f} s.")
        time.sleep(0.05)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def end(child: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Signals the child and waits for its end. After STOP_S_MAX, sends SIGKILL."""
    with suppress(ProcessLookupError):
        child.send_signal(how)
    try:
        child.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()

"""Prints the output of commands. stdout may have any encoding, and may be closed, full or no longer read."""

import errno
import io
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar, cast

import click

from kernel.contracts.values import encode
from kernel.domain.text import harmless

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="Print facts for programs.")

_NOT_ASCII = re.compile(r"[^ -~]")


def run(command: Callable[[], Any]) -> NoReturn:
    """Runs `command`, and exits with its exit code. An error is printed as one line; so is a failure to write
    the output. If the reader of the output has ended, as in `| head -1`, which is usual, nothing is
    printed."""
    _open_streams()
    bug = None
    try:
        code, said = _outcome(command)
    except Exception as error:
        code, said, bug = 1, "", error
    if (lost := _lost(sys.stdout)) is not None:
        code, bug = code or 1, None
        said = "" if lost.errno == errno.EPIPE else f"Error: the output cannot be written: {_reason(lost)}"
    if bug is not None:
        raise bug
    if said:
        with suppress(OSError):
            print(_lines(said), file=sys.stderr)
    _lost(sys.stderr)
    sys.exit(code)


def say(text: str) -> None:
    """Prints text for people, without harmful control characters."""
    print(harmless(text))


def say_facts(json: bytes) -> None:
    """Prints one line of JSON for programs, in ASCII, so that the terminal's encoding does not matter."""
    print(_NOT_ASCII.sub(_as_json_escape, json.decode()))


def say_result(facts: Any, as_json: bool, *lines: str) -> None:
    """Prints `facts` as JSON if `as_json` is true, otherwise `lines` for people."""
    if as_json:
        say_facts(encode(facts))
    else:
        for line in lines:
            say(line)


def show_result(facts: T, as_json: bool, show: Callable[[T, "Console"], None]) -> None:
    """Prints `facts` as JSON if `as_json` is true, otherwise lets `show` print them for people."""
    if as_json:
        say_facts(encode(facts))
    else:
        from shop.console import new_console

        show(facts, new_console())


def announce(text: str) -> None:
    """Prints a service's welcome text. If stdout is closed, prints nothing, and the service runs anyway."""
    if sys.__stdout__ is not None:
        print(_lines(text), flush=True)


def _lines(text: str) -> str:
    return "\n".join(harmless(line) for line in text.expandtabs(2).split("\n"))


def _outcome(command: Callable[[], Any]) -> tuple[int, str]:
    """Runs the command. Returns its exit code, and the text for stderr."""
    try:
        return int(command() or 0), ""
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None), ""
    except click.Abort:
        return 1, "Aborted!"
    except click.ClickException as mistake:
        mistake.show(file := io.StringIO())
        return mistake.exit_code, file.getvalue().rstrip("\n")
    except OSError as error:
        return 1, f"Error: {_reason(error)}"


def _open_streams() -> None:
    """Opens streams that are closed (`>&-`), and lets the outputs replace characters that they cannot encode.

    For a closed stream, Python sets None, and the next file or connection would get its file descriptor.
    Writing to a closed stdout fails, because results must not be lost. A closed stderr loses only logs.
    """
    if sys.stdin is None:
        sys.stdin = _open(os.open(os.devnull, os.O_RDONLY), "r")
    closed_output = None if sys.stdout else os.open(os.devnull, os.O_RDONLY)
    # stdout is opened again in any case: with PYTHONUNBUFFERED, Python's own forgets what it could not write.
    sys.stdout = _open(1, "w", sys.stdout.encoding) if closed_output is None else _open(closed_output, "w")
    if sys.stderr is None:
        sys.stderr = _open(os.open(os.devnull, os.O_WRONLY), "w")
    cast(io.TextIOWrapper, sys.stderr).reconfigure(errors="replace")


def _open(number: int, mode: str, encoding: str | None = None) -> TextIO:
    return cast(TextIO, open(number, mode, encoding=encoding, errors="replace", closefd=False))


def _lost(stream: TextIO) -> OSError | None:
    """Flushes the stream. If that fails, returns the error, and redirects the stream to /dev/null."""
    try:
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error)
    return reason if error.filename is None else f"{error.filename}: {reason}"


def _as_json_escape(found: re.Match[str]) -> str:
    """Escapes a character as `\\uXXXX`, or as two of these if it is beyond U+FFFF (RFC 8259, section 7)."""
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))

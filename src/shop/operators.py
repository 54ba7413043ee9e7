"""Identifies the operator at the console, so that the record of operations can name the person."""

import getpass
import os
import socket

import click

from kernel.domain.caller import Caller, Role

CONSOLE = "console"

by_option = click.option("--by", default=None, help="Who, for the record.  [default: user@host]")


def operator(name: str | None = None) -> Caller:
    return Caller(Role.OPERATOR, name or _own_name(), CONSOLE)


def _own_name() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"

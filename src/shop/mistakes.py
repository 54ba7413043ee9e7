"""Turns any exception of a command into one line for the operator."""

import traceback
from collections.abc import Iterator
from pathlib import Path

from kernel.adapters.embedded.account import EmbeddedPostgresError
from kernel.adapters.telemetry.logs import hide_passwords
from kernel.adapters.words import in_words
from kernel.domain.errors import Contention, ShopError
from kernel.settings import SettingsError

SOURCES = Path(__file__).parents[1]
CHARACTERS_MAX = 600
_OURS = (SettingsError, ShopError, EmbeddedPostgresError, Contention, OSError, EOFError)
# Exceptions of these libraries are caused by a server or by an operator's file, so they are no bugs.
_LIBRARIES = {"aio_pika", "aiohttp", "aiormq", "alembic", "asyncpg", "faststream", "pamqp", "sqlalchemy"}


def in_one_line(error: BaseException) -> str:
    """Describes an exception in one line. One of neither the shop nor a known library is a bug.

    All exceptions of a group are named, bugs first, because services that start together may fail together.
    """
    leaves = sorted(_leaves(error), key=_is_expected)
    lines = (_expected(leaf) if _is_expected(leaf) else _bug(leaf) for leaf in leaves)
    text = "; ".join(dict.fromkeys(lines))
    return text if len(text) <= CHARACTERS_MAX else f"{text[:CHARACTERS_MAX]} …"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _is_expected(error: BaseException) -> bool:
    """Whether the error is no bug. Checks base classes too: a library's error may also be a ValueError."""
    return isinstance(error, _OURS) or any(
        kind.__module__.partition(".")[0] in _LIBRARIES for kind in type(error).__mro__
    )


def _expected(error: BaseException) -> str:
    said = in_words(error)
    # The only URL in a SettingsError is an example, which has to stay readable.
    return said if isinstance(error, SettingsError) else hide_passwords(None, "", said)


def _bug(error: BaseException) -> str:
    where = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(SOURCES):
            where = f" at {Path(frame.filename).relative_to(SOURCES)}:{frame.lineno}"
    said = hide_passwords(None, "", in_words(error))
    name = type(error).__name__
    shown = name if said == name else f"{name}: {said}"
    return f"a bug of the shop, {shown}{where}; LOG_LEVEL=DEBUG shows the traceback"

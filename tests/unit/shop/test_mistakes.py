"""Whatever a server, a library or this system can raise is told in one line, which is not called a bug."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator

import aiohttp
import aiormq.exceptions
import alembic.util
import asyncpg
import pytest
import sqlalchemy.exc
from aio_pika.exceptions import ProbableAuthenticationError
from aiohttp.client_reqrep import ConnectionKey
from aiormq.exceptions import AMQPError

from kernel.adapters.postgres.checks.start import naming
from kernel.domain.errors import Contention, Unavailable
from shop.mistakes import in_one_line

SECRET = "hunter2"
URL = f"postgresql://shop:{SECRET}@a:1,[::1]:2/money"


def subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for one in kind.__subclasses__():
        yield from subclasses(one)


def postgres_errors() -> list[BaseException]:
    """An error of every class of the driver, one for each SQLSTATE, as the server sends it."""
    found: list[BaseException] = []
    for kind in dict.fromkeys(subclasses(asyncpg.PostgresError)):
        error = kind("the server's words")
        error.detail, error.hint = "more", "much more"  # type: ignore[attr-defined]
        found.append(error)
    return found


def client_errors() -> list[BaseException]:
    kinds = [*subclasses(asyncpg.InterfaceError), *subclasses(asyncpg.InternalClientError)]
    return [kind("the driver's words") for kind in kinds]


def sqlalchemy_errors() -> list[BaseException]:
    origin = asyncpg.UndefinedTableError("the server's words")
    return [
        sqlalchemy.exc.ProgrammingError("SELECT 1", {"x": SECRET}, origin),
        sqlalchemy.exc.InterfaceError("SELECT 1", {}, asyncpg.InterfaceError("the driver's words")),
        sqlalchemy.exc.TimeoutError("the pool is empty"),
        sqlalchemy.exc.InvalidRequestError("so is the statement"),
    ]


def system_errors() -> list[BaseException]:
    numbered = [OSError(number, "words", "name") for number in errno.errorcode]
    named = [kind("words") for kind in dict.fromkeys(subclasses(OSError)) if kind.__module__ == "builtins"]
    tls = [
        ssl.SSLError(1, "[SSL] words"),
        ssl.SSLCertVerificationError(1, "self-signed"),
        ssl.SSLEOFError(8, "x"),
    ]
    names = [socket.gaierror(number, "Name not known") for number in range(-11, 0)]
    empty = [TimeoutError(), ConnectionError(), OSError("Multiple exceptions: [Errno 111], [Errno 113]")]
    return [*numbered, *named, *tls, *names, *empty, asyncio.IncompleteReadError(b"", 5)]


def amqp_errors() -> list[BaseException]:
    kinds = [kind for kind in dict.fromkeys(subclasses(AMQPError)) if kind.__module__.startswith("aio")]
    found: list[BaseException] = [
        aiormq.exceptions.ChannelClosed(403, "ACCESS_REFUSED"),
        ProbableAuthenticationError("no"),
    ]
    for kind in kinds:
        try:
            found.append(kind("words"))
        except TypeError:  # those of a returned message need the message
            continue
    return found


def http_errors() -> list[BaseException]:
    key = ConnectionKey("h", 1, False, True, None, None, None)
    refused = aiohttp.ClientConnectorError(key, OSError(111, "Connect call failed"))
    return [
        refused,
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError("words"),
        aiohttp.ServerTimeoutError(),
    ]


def other_errors() -> list[BaseException]:
    return [
        alembic.util.CommandError("Can't locate revision identified by '9'"),
        Contention("lost"),
        Unavailable("away"),
    ]


KINDS = {
    "PostgreSQL": postgres_errors,
    "driver": client_errors,
    "SQLAlchemy": sqlalchemy_errors,
    "system": system_errors,
    "AMQP": amqp_errors,
    "HTTP": http_errors,
    "others": other_errors,
}


def assert_told(line: str) -> None:
    assert line.strip()
    assert "\n" not in line
    assert "a bug" not in line
    assert not any(noise in line for noise in ("ConnectionKey(", "Traceback", "sqlalche.me", SECRET)), line


@pytest.mark.parametrize("kind", KINDS)
def test_every_failure_is_one_line_alone_and_in_groups(kind: str) -> None:
    errors = KINDS[kind]()
    assert errors
    for error in errors:
        assert_told(in_one_line(error))
        assert_told(in_one_line(BaseExceptionGroup("", [BaseExceptionGroup("", [error]), Unavailable("x")])))


@pytest.mark.parametrize("kind", ["PostgreSQL", "driver", "SQLAlchemy", "system"])
def test_a_failure_of_a_database_names_the_service_and_the_server(kind: str) -> None:
    for error in KINDS[kind]():
        if not isinstance(error, Exception):
            continue
        with pytest.raises(Unavailable) as raised, naming("payments", URL):
            raise error
        line = in_one_line(raised.value)
        assert_told(line)
        assert line.startswith("the payments database money at a:1,[::1]:2: ")


def test_the_words_of_the_server_and_its_sqlstate_are_told() -> None:
    for error in postgres_errors():
        line = in_one_line(error)
        assert "the server's words" in line
        if sqlstate := getattr(error, "sqlstate", None):
            assert f"({sqlstate})" in line


def test_of_sqlalchemy_only_the_error_of_the_server_is_told() -> None:
    assert in_one_line(sqlalchemy_errors()[0]) == "the server's words (42P01)"


def test_a_password_is_hidden_wherever_a_library_repeats_it() -> None:
    for error in (OSError(f"no route to {URL}"), Unavailable(f"see {URL}"), KeyError(URL)):
        assert SECRET not in in_one_line(error)


@pytest.mark.parametrize(
    "bug", [KeyError("x"), TypeError("x"), AssertionError(), RecursionError("x"), ValueError()]
)
def test_an_error_that_no_server_sent_is_called_a_bug_with_its_place(bug: Exception) -> None:
    def within_the_shop() -> None:
        in_one_line(None)  # type: ignore[arg-type]

    assert in_one_line(bug).startswith(f"a bug of the shop, {type(bug).__name__}")
    with pytest.raises(AttributeError) as raised:
        within_the_shop()
    assert "shop/mistakes.py:" in in_one_line(raised.value)


def test_a_line_has_an_end() -> None:
    assert len(in_one_line(OSError("x" * 10_000))) < 1000

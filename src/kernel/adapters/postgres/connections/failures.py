"""Translates PostgreSQL's errors into the errors of the ports (PostgreSQL manual, appendix A: SQLSTATE)."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kernel.adapters.words import in_words
from kernel.domain.errors import Contention, OutcomeUnknown, ShopError, Unavailable

_CONTENTION = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "23505",  # unique_violation: a concurrent transaction inserted the key first
    "55P03",  # lock_not_available
    "57014",  # query_canceled: the statement timeout
    "0A000",  # feature_not_supported: asyncpg's cached plan no longer fits the schema
}
# With these SQLSTATEs the server would refuse any call. Nothing was done, so the call can be tried again.
_REFUSES_CLASSES = (
    "28",  # invalid authorization
    "3D",  # invalid catalog name: the database does not exist
    "3F",  # invalid schema name
    "53",  # insufficient resources: no connection, memory or disk left
    "55006",  # object_in_use: the database is being dropped or copied
    "25006",  # read_only_sql_transaction, after a failover
    "25P0",  # a timeout ended the session: idle_in_transaction_session_timeout, transaction_timeout
    "42501",  # insufficient_privilege
    "42P01",  # undefined_table: the schema is another one
    "42703",  # undefined_column
)
# Connection exception, operator intervention, system error. A COMMIT that fails so may have succeeded.
_AWAY_CLASSES = ("08", "57", "58")

# InternalClientError: none of several hosts takes writes, or the connection broke within a message.
# EmulatedDBAPIException: the pool wraps the driver's errors in it when it opens a raw connection.
DRIVER_ERRORS = (
    DBAPIError,
    EmulatedDBAPIException,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


@contextmanager
def translate_errors(*, committing: bool = False) -> Iterator[None]:
    """Translates the driver's errors into Contention, Unavailable or, while `committing`, OutcomeUnknown."""
    try:
        yield
    except DRIVER_ERRORS as error:
        cause = cause_of(error)
        sqlstate = _sqlstate(cause)
        if sqlstate in _CONTENTION:
            raise Contention(str(cause)) from error
        if sqlstate.startswith(_REFUSES_CLASSES):
            raise Unavailable("the database refuses to work", code="database_unavailable") from error
        if not sqlstate or sqlstate.startswith(_AWAY_CLASSES):
            raise _lost(committing) from error
        raise
    except PoolTimeout as error:
        raise Unavailable("too many calls are waiting for the database", code="overloaded") from error
    except (OSError, TimeoutError) as error:
        raise _lost(committing) from error


@contextmanager
def connecting() -> Iterator[None]:
    """If the server refuses a session, raises Unavailable, as no call is at fault. Passes other errors on."""
    try:
        yield
    except DRIVER_ERRORS as error:
        cause = cause_of(error)
        if isinstance(cause, asyncpg.PostgresError) and not _sqlstate(cause).startswith(_AWAY_CLASSES):
            raise Unavailable("the database refuses to work", code="database_unavailable") from error
        raise


def cause_of(error: BaseException) -> BaseException:
    """Returns the driver's error that SQLAlchemy or `translate_errors` wrapped, or else `error` itself."""
    if isinstance(error, DBAPIError | EmulatedDBAPIException) and error.orig is not None:
        return cause_of(error.orig)
    if isinstance(error, ShopError | Contention) and error.__cause__ is not None:
        return cause_of(error.__cause__)
    return error


def refusal(error: BaseException, *, connecting: bool = False) -> tuple[str, str] | None:
    """Returns the kind and the text of an error that any other call would meet too; None for other errors.

    While `connecting`, all errors of the server or the network count. At other times, a network error may
    have another cause than the database, so it does not count.
    """
    cause = cause_of(error)
    sqlstate = _sqlstate(cause)
    if isinstance(cause, asyncpg.PostgresError):
        to_all = sqlstate.startswith((*_REFUSES_CLASSES, *_AWAY_CLASSES))
        if not connecting and (sqlstate in _CONTENTION or not to_all):
            return None
        verb = "away" if sqlstate.startswith(_AWAY_CLASSES) else "refuses"
        return sqlstate, f"{verb}: {sqlstate} {'; '.join(str(cause).splitlines())}"
    client_errors = (asyncpg.InterfaceError, asyncpg.InternalClientError)
    if isinstance(cause, (*client_errors, OSError, TimeoutError) if connecting else client_errors):
        return "away", f"away: {words_of(cause)}"
    return None


def words_of(error: BaseException) -> str:
    """Describes an error like `in_words`, but in plain words if its text is about the driver's internals."""
    cause = cause_of(error)
    if isinstance(cause, asyncpg.exceptions.TargetServerAttributeNotMatched):
        return "no host takes writes"
    if type(cause) is asyncpg.InternalClientError:  # The server ended the session within a statement.
        return "the connection broke off"
    return in_words(error)


def _sqlstate(cause: BaseException) -> str:
    """Returns the SQLSTATE of an error of the server; empty for any other error."""
    return getattr(cause, "sqlstate", None) or ""


def _lost(committing: bool) -> Exception:
    if committing:
        return OutcomeUnknown("the database did not say whether it committed")
    return Unavailable("the database is away", code="database_unavailable")

"""What PostgreSQL's errors mean for a transaction (PostgreSQL manual, appendix A: SQLSTATE)."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kernel.domain.errors import Contention, OutcomeUnknown, Unavailable

_CONTENTION = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "23505",  # unique_violation: a concurrent transaction was first
    "55P03",  # lock_not_available
    "57014",  # query_canceled: the statement timeout
    "0A000",  # feature_not_supported: asyncpg's cached plan no longer fits the schema
}
# connection exception, invalid authorization, invalid catalog name, insufficient resources,
# operator intervention, system error
_AWAY_CLASSES = ("08", "28", "3D", "53", "57", "58")
_AWAY = {"25006", "25P03"}  # read_only_sql_transaction after a failover, idle_in_transaction_session_timeout

# InternalClientError: of several hosts none takes writes yet, or the stream broke off within a message.
# EmulatedDBAPIException: what the pool makes of these when it is asked for a raw connection.
DRIVER_ERRORS = (
    DBAPIError,
    EmulatedDBAPIException,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


@contextmanager
def meaning(*, committing: bool = False) -> Iterator[None]:
    """Raises Contention, Unavailable or, while `committing`, OutcomeUnknown for what the driver raises."""
    try:
        yield
    except DRIVER_ERRORS as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        sqlstate = getattr(cause, "sqlstate", None)
        if sqlstate in _CONTENTION:
            raise Contention(str(cause)) from error
        if sqlstate is None or sqlstate.startswith(_AWAY_CLASSES) or sqlstate in _AWAY:
            raise _lost(committing) from error
        raise
    except PoolTimeout as error:
        raise Unavailable("too many calls are waiting for the database", code="overloaded") from error
    except (OSError, TimeoutError) as error:
        raise _lost(committing) from error


def _lost(committing: bool) -> Exception:
    if committing:
        return OutcomeUnknown("the database did not say whether it committed")
    return Unavailable("the database is away", code="database_unavailable")

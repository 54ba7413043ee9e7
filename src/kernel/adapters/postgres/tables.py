"""The tables that every service has in its database, and the class that declares a service's schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text, Uuid

Key = Text(collation="C")
Time = DateTime(timezone=True)

METADATA = MetaData()

Rights = tuple[str, ...]
READ: Rights = ("SELECT",)
APPEND: Rights = (*READ, "INSERT")
"""Privileges on append-only tables. A trigger protects these tables too, but not on Citus."""
CHANGE: Rights = (*APPEND, "UPDATE")
ALL: Rights = (*CHANGE, "DELETE")


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables, migrations and privileges that a service needs in its database."""

    service: str
    revision: int
    """The number of the newest migration that the code needs."""
    tables: tuple[Table, ...]
    """The tables that only this service has. Its first migration creates all of them."""
    versions: Path | None = None
    """The folder of the service's migrations. None means the service's folder in `migrations`."""
    rights: Mapping[Table, Rights] = field(default_factory=dict)
    """The privileges of the service's role on the service's own tables; none on a table without an entry.
    RIGHTS_OF_ALL has the privileges on the common tables."""


OUTBOX = Table(
    "outbox",
    METADATA,
    Column("type", Key, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("event", LargeBinary, nullable=False),
    Column("count", Integer, nullable=False),
)

INBOX = Table(
    "inbox",
    METADATA,
    Column("source", Key, primary_key=True),
    Column("event_id", Key, primary_key=True),
    Column("received_at", Time, nullable=False, index=True),
)

PARKED = Table(
    "parked_messages",
    METADATA,
    Column("type", Key, primary_key=True),
    Column("subject", Key, primary_key=True),
    Column("reason", Key, primary_key=True),
    Column("detail", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_parked_at", Time, nullable=False),
    Column("last_parked_at", Time, nullable=False),
    Column("id", Uuid, nullable=False, unique=True),
    Column("dead_letter", Boolean, nullable=False),
)

DISCARDED = Table(
    "discarded_messages",
    METADATA,
    Column("id", Uuid, primary_key=True),
    *(Column(c.name, c.type, nullable=False) for c in PARKED.c if c.name != "id"),
    Column("discarded_at", Time, nullable=False),
    Column("discarded_by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

HELD = Table(
    "held_causes",
    METADATA,
    Column("dead_letter", Boolean, primary_key=True),
    Column("type", Key, primary_key=True),
    Column("reason", Key, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("held_at", Time, nullable=False),
)

OPERATIONS = Table(
    "operations",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("target", Uuid, nullable=False),
    Column("about", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("through", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("began_at", Time, nullable=False),
    Column("ended_at", Time),
)

OPERATION_MESSAGES = Table(
    "operation_messages",
    METADATA,
    Column("operation", Uuid, primary_key=True),
    Column("message", Uuid, primary_key=True),
    Column("count", Integer, nullable=False),
)

PAUSED = Table(
    "paused_consumers",
    METADATA,
    Column("consumer", Key, primary_key=True),
    Column("paused_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("paused_at", Time, nullable=False),
)

OPERATOR_RECORD = Table(
    "operator_record",
    METADATA,
    Column("user_id", Key, primary_key=True),
    Column("subject", Uuid, primary_key=True),
    Column("did", Key, primary_key=True),
    Column("operator", Key, nullable=False),
    Column("through", Key, nullable=False),
    Column("at", Time, nullable=False),
    Column("about", Text, nullable=False),
    Column("note", Text, nullable=False),
)

# A role needs the privilege UPDATE on a table to lock its rows (SELECT … FOR UPDATE).
RIGHTS_OF_ALL: Mapping[Table, Rights] = {
    OUTBOX: ALL,
    INBOX: ALL,
    PARKED: ALL,
    DISCARDED: APPEND,
    HELD: ALL,
    OPERATIONS: CHANGE,
    OPERATION_MESSAGES: ALL,
    PAUSED: ALL,
    OPERATOR_RECORD: APPEND,
}

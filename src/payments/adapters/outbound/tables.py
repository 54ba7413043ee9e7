from sqlalchemy import BigInteger, Column, Table, UniqueConstraint, Uuid

from kernel.adapters.postgres.tables import APPEND, CHANGE, METADATA, Key, Schema, Time

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("user_id", Key, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("currency", Key, nullable=False),
    Column("idempotency_key", Key),
    Column("created_at", Time, nullable=False),
    Column("frozen_at", Time),
)

TRANSFERS = Table(
    "transfers",
    METADATA,
    Column("user_id", Key, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("kind", Key, nullable=False),
    Column("debit_account", Key, nullable=False),
    Column("credit_account", Key, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("order_id", Uuid),
    Column("idempotency_key", Key),
    Column("balance_after", BigInteger, nullable=False),
    Column("created_at", Time, nullable=False),
    UniqueConstraint("user_id", "id"),
    UniqueConstraint("user_id", "order_id", "kind"),
    UniqueConstraint("user_id", "idempotency_key"),
)

PAYMENTS = Table(
    "payments",
    METADATA,
    Column("user_id", Key, primary_key=True),
    Column("order_id", Uuid, primary_key=True),
    Column("decision", Key, nullable=False),
    Column("reason", Key),
    Column("transfer_id", Uuid),
    Column("created_at", Time, nullable=False),
)

RIGHTS = {ACCOUNTS: CHANGE, TRANSFERS: APPEND, PAYMENTS: APPEND}

SCHEMA = Schema("payments", revision=9, tables=(ACCOUNTS, TRANSFERS, PAYMENTS), rights=RIGHTS)

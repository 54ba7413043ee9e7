from sqlalchemy import BigInteger, Column, Integer, Table, Text, UniqueConstraint, Uuid

from kernel.adapters.postgres.tables import APPEND, CHANGE, METADATA, OPERATOR_RECORD, Key, Schema, Time

ORDERS = Table(
    "orders",
    METADATA,
    Column("user_id", Key, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Key, nullable=False),
    Column("description", Text, nullable=False),
    Column("status", Key, nullable=False),
    Column("reason", Key),
    Column("idempotency_key", Key),
    Column("cancel_requested_at", Time),
    Column("ask_again_at", Time),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    UniqueConstraint("user_id", "idempotency_key"),
)

ORDER_HISTORY = Table(
    "order_history",
    METADATA,
    Column("user_id", Key, primary_key=True),
    Column("order_id", Uuid, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("status", Key, nullable=False),
    Column("reason", Key),
    Column("at", Time, nullable=False),
)

RIGHTS = {ORDERS: CHANGE, ORDER_HISTORY: APPEND, OPERATOR_RECORD: APPEND}

SCHEMA = Schema("orders", revision=5, tables=(ORDERS, ORDER_HISTORY), rights=RIGHTS)

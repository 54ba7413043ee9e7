from sqlalchemy import BigInteger, Column, Double, Integer, Table, Text, UniqueConstraint, Uuid

from kernel.adapters.postgres.tables import ALL, APPEND, CHANGE, METADATA, Key, Schema, Time

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
    Column("pay_by", Time),
    Column("pay_by_given", Time),
    Column("trace_id", Uuid),
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

SERIES_STEPS = Table(
    "series_steps",
    METADATA,
    Column("start", Time, primary_key=True),
    Column("orders", BigInteger, nullable=False),
    Column("sampled", Integer, nullable=False),
    Column("decided", Integer, nullable=False),
    Column("p50_s", Double),
    Column("p99_s", Double),
    Column("computed_at", Time, nullable=False),
)

AUDIT_RUNS = Table(
    "audit_runs",
    METADATA,
    Column("number", BigInteger, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("operator", Key, nullable=False),
    Column("through", Key, nullable=False),
    Column("state", Key, nullable=False),
    Column("detail", Text, nullable=False),
    Column("phase", Key, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("checked", Text, nullable=False),
    Column("fault_count", BigInteger, nullable=False),
    Column("faults", Text, nullable=False),
    Column("began_at", Time, nullable=False),
    Column("ended_at", Time),
    Column("lease_until", Time, nullable=False),
)

RIGHTS = {ORDERS: CHANGE, ORDER_HISTORY: APPEND, SERIES_STEPS: ALL, AUDIT_RUNS: ALL}

SCHEMA = Schema("orders", revision=11, tables=(ORDERS, ORDER_HISTORY), rights=RIGHTS)

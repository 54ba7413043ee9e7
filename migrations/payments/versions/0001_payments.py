"""Accounts with their transfers, decisions, and the kernel's outbox, inbox and parked messages."""

from kernel.adapters.postgres.migrating.ddl import (
    MESSAGING_0001,
    REFUSE_CHANGE_0001,
    execute_script,
    execute_without_citus,
    make_append_only,
)

revision = "0001"
down_revision = None

PAYMENTS = """
CREATE TABLE accounts (
    user_id text COLLATE "C" PRIMARY KEY,
    id uuid NOT NULL,
    balance bigint NOT NULL CHECK (balance >= 0),
    sequence bigint NOT NULL,
    currency text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C",
    created_at timestamptz NOT NULL
);

CREATE TABLE transfers (
    user_id text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    debit_account text COLLATE "C" NOT NULL,
    credit_account text COLLATE "C" NOT NULL CHECK (credit_account <> debit_account),
    amount bigint NOT NULL CHECK (amount > 0),
    order_id uuid,
    idempotency_key text COLLATE "C",
    balance_after bigint NOT NULL CHECK (balance_after >= 0),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, sequence),
    UNIQUE (user_id, id),
    UNIQUE (user_id, order_id, kind),
    UNIQUE (user_id, idempotency_key)
);

-- The only decision about an order. This business key guarantees "paid at most once".
CREATE TABLE payments (
    user_id text COLLATE "C" NOT NULL,
    order_id uuid NOT NULL,
    decision text COLLATE "C" NOT NULL,
    reason text COLLATE "C",
    transfer_id uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, order_id)
);
"""


def upgrade() -> None:
    execute_script(PAYMENTS)
    execute_script(MESSAGING_0001)
    execute_without_citus(REFUSE_CHANGE_0001)
    make_append_only("transfers")
    make_append_only("payments")

"""Orders with their history, and the kernel's outbox, inbox and parked messages."""

from kernel.adapters.postgres.migrating.ddl import (
    MESSAGING_0001,
    REFUSE_CHANGE_0001,
    execute_script,
    execute_without_citus,
    make_append_only,
)

revision = "0001"
down_revision = None

ORDERS = """
CREATE TABLE orders (
    user_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    currency text COLLATE "C" NOT NULL,
    description text NOT NULL,
    status text COLLATE "C" NOT NULL,
    reason text COLLATE "C",
    idempotency_key text COLLATE "C",
    cancel_requested_at timestamptz,
    ask_again_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, idempotency_key)
);
-- Not unique, so that the table can be spread by user; ids are UUIDv7.
CREATE INDEX orders_id ON orders (id);
CREATE INDEX orders_ask_again ON orders (ask_again_at) WHERE ask_again_at IS NOT NULL;

CREATE TABLE order_history (
    user_id text COLLATE "C" NOT NULL,
    order_id uuid NOT NULL,
    sequence integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    reason text COLLATE "C",
    at timestamptz NOT NULL,
    PRIMARY KEY (user_id, order_id, sequence)
);
"""


def upgrade() -> None:
    execute_script(ORDERS)
    execute_script(MESSAGING_0001)
    execute_without_citus(REFUSE_CHANGE_0001)
    make_append_only("order_history")

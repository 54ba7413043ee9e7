"""Damages to the database of payments, each with the faults that the audit finds."""

from tests.unit.shop.audit.books import CAPTURED, UNKNOWN, Damage

ALICE = "account of alice"
OFF = ("money_off", "all accounts")
TRANSFER = (
    "INSERT INTO transfers (user_id, sequence, id, kind, debit_account, credit_account, amount, order_id,"
)


DAMAGES_OF_PAYMENTS = [
    Damage(
        "a changed balance",
        "UPDATE accounts SET balance = balance + 1 WHERE user_id = 'alice'",
        (("balance_not_sum", ALICE), ("balance_not_last", ALICE), OFF),
    ),
    Damage(
        "a negative balance",
        """
        ALTER TABLE accounts DROP CONSTRAINT accounts_balance_check;
        UPDATE accounts SET balance = -1 WHERE user_id = 'bob'
        """,
        (
            ("balance_negative", "account of bob"),
            ("balance_not_sum", "account of bob"),
            ("balance_not_last", "account of bob"),
            OFF,
        ),
    ),
    Damage(
        "an account whose sequence is ahead",
        "UPDATE accounts SET sequence = sequence + 1 WHERE user_id = 'alice'",
        (("sequence_not_last", ALICE),),
    ),
    Damage(
        "a deleted account",
        "DELETE FROM accounts WHERE user_id = 'carol'",
        (("account_missing", "account of carol"), ("currency_differs", "order <other> of carol")),
    ),
    Damage(
        "a deleted transfer",
        "DELETE FROM transfers WHERE <payment>",
        (
            ("balance_not_sum", ALICE),
            ("sequence_gap", "transfer 5 of alice"),
            OFF,
            ("payment_without_transfer", "order <paid> of alice"),
        ),
    ),
    Damage(
        "a changed amount of a transfer",
        "UPDATE transfers SET amount = amount + 1 WHERE <payment>",
        (
            ("balance_not_sum", ALICE),
            ("balance_after_wrong", "transfer 4 of alice"),
            OFF,
            ("amount_differs", "order <paid> of alice"),
        ),
    ),
    Damage(
        "a gap in the account's sequence",
        """
        UPDATE transfers SET sequence = 6 WHERE user_id = 'alice' AND sequence = 5;
        UPDATE accounts SET sequence = 6 WHERE user_id = 'alice'
        """,
        (("sequence_gap", "transfer 6 of alice"),),
    ),
    Damage(
        "money that comes from nowhere",
        "UPDATE transfers SET debit_account = 'system:thin-air' WHERE user_id = 'alice' AND sequence = 1",
        (("transfer_malformed", "transfer 1 of alice"), OFF),
    ),
    Damage(
        "a second capture",
        f"""
        ALTER TABLE transfers DROP CONSTRAINT transfers_user_id_order_id_kind_key;
        {TRANSFER} balance_after, created_at)
            SELECT user_id, 6, '<unknown>', kind, debit_account, credit_account, amount, order_id,
                   balance_after - 500 - amount, now()
            FROM transfers WHERE <payment>;
        UPDATE accounts SET sequence = 6, balance = balance - 1025 WHERE user_id = 'alice'
        """,
        (("captured_twice", "order <paid> of alice"),),
    ),
    Damage(
        "a capture by another user's account",
        f"""
        DROP INDEX payments_order;
        INSERT INTO payments VALUES ('carol', '<paid>', 'captured', NULL, '<unknown>', now());
        {TRANSFER} balance_after, created_at) VALUES
            ('carol', 3, '<unknown>', 'capture', 'user:carol', 'system:revenue', 1025, '<paid>', 0, now());
        UPDATE transfers SET amount = amount + 1025, balance_after = balance_after + 1025
            WHERE user_id = 'carol' AND sequence = 1;
        UPDATE transfers SET balance_after = balance_after + 1025 WHERE user_id = 'carol' AND sequence = 2;
        UPDATE accounts SET sequence = 3 WHERE user_id = 'carol'
        """,
        (("user_differs", "order <paid> of carol"),),
    ),
    Damage(
        "a wrong currency",
        "UPDATE accounts SET currency = 'EUR' WHERE user_id = 'carol'",
        (("currency_differs", "order <other> of carol"),),
    ),
    Damage(
        "a transfer without a payment",
        "DELETE FROM payments WHERE order_id = '<paid>'",
        (("transfer_without_payment", "order <paid> of alice"),),
    ),
    Damage(
        "a payment that names another transfer",
        "UPDATE payments SET transfer_id = '<unknown>' WHERE order_id = '<paid>'",
        (("other_transfer", "order <paid> of alice"),),
    ),
    Damage(
        "a payment without a transfer",
        "UPDATE payments SET decision = 'captured', reason = NULL, transfer_id = '<unknown>'"
        " WHERE order_id = '<declined>'",
        (
            ("payment_without_transfer", "order <declined> of alice"),
            ("cancelled_not_declined", "order <declined> of alice"),
        ),
    ),
    Damage(
        "a declined order that was paid",
        "UPDATE payments SET decision = 'declined', reason = 'insufficient_funds' WHERE order_id = '<paid>'",
        (("declined_but_paid", "order <paid> of alice"), ("finished_not_captured", "order <paid> of alice")),
    ),
    Damage(
        "a voided order that was paid",
        "UPDATE payments SET decision = 'voided' WHERE order_id = '<paid>'",
        (("voided_but_paid", "order <paid> of alice"), ("finished_not_captured", "order <paid> of alice")),
    ),
    Damage(
        "a second refund",
        f"""
        ALTER TABLE transfers DROP CONSTRAINT transfers_user_id_order_id_kind_key;
        {TRANSFER} balance_after, created_at)
            SELECT user_id, 4, '<unknown>', kind, debit_account, credit_account, amount, order_id,
                   balance_after + amount, now()
            FROM transfers WHERE <refund>;
        UPDATE accounts SET sequence = 4, balance = balance + 3000 WHERE user_id = 'erin'
        """,
        (("refunded_twice", "order <refunded> of erin"),),
    ),
    Damage(
        "a refund of another amount",
        """
        UPDATE transfers SET amount = amount - 1, balance_after = balance_after - 1 WHERE <refund>;
        UPDATE accounts SET balance = balance - 1 WHERE user_id = 'erin'
        """,
        (("refund_differs", "order <refunded> of erin"),),
    ),
    Damage(
        "a refund of what was never paid",
        f"""
        {TRANSFER} balance_after, created_at) VALUES
            ('alice', 6, '<unknown>', 'refund', 'system:revenue', 'user:alice', 100, '<declined>', 7575,
             now());
        UPDATE accounts SET sequence = 6, balance = balance + 100 WHERE user_id = 'alice'
        """,
        (
            ("refunded_not_paid", "order <declined> of alice"),
            ("cancelled_not_declined", "order <declined> of alice"),
        ),
    ),
    Damage(
        "a refund out of nowhere",
        "UPDATE transfers SET debit_account = 'system:thin-air' WHERE <refund>",
        (("transfer_malformed", "transfer 3 of erin"), OFF),
    ),
    Damage(
        "a refund that is gone",
        """
        DELETE FROM transfers WHERE <refund>;
        UPDATE accounts SET sequence = 2, balance = 0 WHERE user_id = 'erin'
        """,
        (("refunded_not_given_back", "order <refunded> of erin"),),
    ),
    Damage(
        "an unknown decision",
        "UPDATE payments SET decision = 'perhaps' WHERE order_id = '<declined>'",
        (
            ("decision_unknown", "order <declined> of alice"),
            ("cancelled_not_declined", "order <declined> of alice"),
        ),
    ),
    Damage(
        "an order paid in full elsewhere but not here: FINISHED without capture",
        """
        DELETE FROM payments WHERE order_id = '<last>';
        DELETE FROM transfers WHERE order_id = '<last>';
        UPDATE accounts SET sequence = 4, balance = balance + 500 WHERE user_id = 'alice'
        """,
        (("finished_not_captured", "order <last> of alice"),),
    ),
    Damage(
        "a stuck row of the payments' outbox",
        f"INSERT INTO outbox VALUES ('{CAPTURED}', '<unknown>', '{{}}')",
        (("outbox_stuck", f"message {CAPTURED} {UNKNOWN}"),),
    ),
]

"""Checks accounts, transfers, decisions, and the sum of all money, within the database of payments."""

from collections.abc import Iterator
from functools import partial

from kernel.adapters.postgres.audit import Check, Row
from kernel.domain.faults import Fault, money, word
from payments.domain.payment import Decision
from payments.domain.transfer import CORRECTIONS, FUNDING, REVENUE, Kind

# For each kind of transfer: its change of the user's balance, and the accounts and order that it must name.
_SIGNED = (
    f"CASE WHEN kind IN ('{Kind.DEPOSIT}', '{Kind.REFUND}') THEN amount"
    f" WHEN kind = '{Kind.CAPTURE}' THEN -amount"
    f" WHEN kind = '{Kind.CORRECTION}' AND credit_account = '{CORRECTIONS}' THEN -amount"
    f" WHEN kind = '{Kind.CORRECTION}' THEN amount END"
)
_WELL_FORMED = f"""(
    (kind = '{Kind.DEPOSIT}' AND order_id IS NULL
        AND debit_account = '{FUNDING}' AND credit_account = 'user:' || user_id)
    OR (kind = '{Kind.CAPTURE}' AND order_id IS NOT NULL
        AND debit_account = 'user:' || user_id AND credit_account = '{REVENUE}')
    OR (kind = '{Kind.REFUND}' AND order_id IS NOT NULL
        AND debit_account = '{REVENUE}' AND credit_account = 'user:' || user_id)
    OR (kind = '{Kind.CORRECTION}' AND order_id IS NULL
        AND ((debit_account = '{CORRECTIONS}' AND credit_account = 'user:' || user_id)
            OR (debit_account = 'user:' || user_id AND credit_account = '{CORRECTIONS}')))
)"""

# The last transfer has the greatest pair of sequence and balance.
ACCOUNTS = f"""
SELECT user_id, a.balance, a.sequence, coalesce(t.total, 0) AS total,
       coalesce(t.last[1], 0) AS last_sequence, coalesce(t.last[2], 0) AS last_balance
FROM accounts a
FULL JOIN (
    SELECT user_id, sum({_SIGNED}) AS total, max(ARRAY[sequence, balance_after]) AS last
    FROM transfers GROUP BY user_id
) t USING (user_id)
WHERE a.balance IS DISTINCT FROM coalesce(t.total, 0)
   OR a.balance IS DISTINCT FROM coalesce(t.last[2], 0)
   OR a.sequence IS DISTINCT FROM coalesce(t.last[1], 0)
   OR a.balance < 0
"""


def account_faults(row: Row) -> Iterator[Fault]:
    fault = partial(Fault, f"account of {row['user_id']}")
    if row["balance"] is None:
        yield fault("account_missing", "no account", f"an account for {row['last_sequence']} transfers")
        return
    balance = f"balance {money(row['balance'])}"
    if row["balance"] < 0:
        yield fault("balance_negative", balance, "never negative")
    if row["balance"] != row["total"]:
        yield fault("balance_not_sum", balance, f"{money(row['total'])}, the sum of its transfers")
    if row["balance"] != row["last_balance"]:
        yield fault("balance_not_last", balance, f"{money(row['last_balance'])}, after its last transfer")
    if row["sequence"] != row["last_sequence"]:
        expected = f"{row['last_sequence']}, that of its last transfer"
        yield fault("sequence_not_last", f"sequence {row['sequence']}", expected)


TRANSFERS = f"""
SELECT * FROM (
    SELECT user_id, sequence, id, kind, debit_account, credit_account, order_id, amount, balance_after,
           {_SIGNED} AS signed,
           {_WELL_FORMED} AS well_formed,
           lag(sequence, 1, 0::bigint) OVER account AS sequence_before,
           lag(balance_after, 1, 0::bigint) OVER account AS balance_before
    FROM transfers
    WINDOW account AS (PARTITION BY user_id ORDER BY sequence)
) t
WHERE NOT well_formed OR balance_after < 0
   OR sequence <> sequence_before + 1 OR balance_after <> balance_before + signed
"""


def transfer_faults(row: Row) -> Iterator[Fault]:
    fault = partial(Fault, f"transfer {row['sequence']} of {row['user_id']} ({row['id']})")
    after = f"balance after {money(row['balance_after'])}"
    if not row["well_formed"]:
        found = f"{row['kind']} from {row['debit_account']} to {row['credit_account']}"
        named = f"order {row['order_id']}" if row["order_id"] else "no order"
        yield fault("transfer_malformed", f"{found}, {named}", "the accounts and the order of its kind")
    if row["balance_after"] < 0:
        yield fault("balance_negative", after, "never negative")
    expected_sequence = row["sequence_before"] + 1
    if row["sequence"] != expected_sequence:
        # The balance before a missing transfer is unknown, so the next balance is not checked.
        yield fault("sequence_gap", f"follows {row['sequence_before']}", f"{expected_sequence} lies between")
    elif row["signed"] is not None and row["balance_after"] != row["balance_before"] + row["signed"]:
        sum_ = f"{money(row['balance_before'])} {'+' if row['signed'] > 0 else '-'} {money(row['amount'])}"
        yield fault("balance_after_wrong", after, sum_)


# The revenue is the captures minus the refunds.
MONEY = f"""
SELECT * FROM (
    SELECT (SELECT coalesce(sum(balance), 0) FROM accounts) AS balances,
           coalesce(sum(amount) FILTER (WHERE debit_account = '{FUNDING}'), 0) AS deposits,
           coalesce(sum(amount) FILTER (WHERE debit_account = '{CORRECTIONS}'), 0)
               - coalesce(sum(amount) FILTER (WHERE credit_account = '{CORRECTIONS}'), 0) AS corrections,
           coalesce(sum(amount) FILTER (WHERE credit_account = '{REVENUE}'), 0)
               - coalesce(sum(amount) FILTER (WHERE debit_account = '{REVENUE}'), 0) AS revenue
    FROM transfers
) t
WHERE balances + revenue <> deposits + corrections
"""


def money_faults(row: Row) -> Iterator[Fault]:
    found = f"balances {money(row['balances'])} + revenue {money(row['revenue'])}"
    expected = f"deposits {money(row['deposits'])} + corrections {money(row['corrections'])}"
    yield Fault("all accounts", "money_off", found, expected)


# Transfers that name no order are left out, because the check of transfers reports them.
DECISIONS = f"""
SELECT user_id, order_id, p.decision, p.transfer_id::text AS transfer_id,
       t.captures, coalesce(t.captured, 0) AS captured, t.paid,
       t.refunds, coalesce(t.refunded, 0) AS refunded, t.given_back
FROM payments p
FULL JOIN (
    SELECT user_id, order_id,
           string_agg(id::text, ', ' ORDER BY sequence) FILTER (WHERE kind = '{Kind.CAPTURE}') AS captures,
           count(*) FILTER (WHERE kind = '{Kind.CAPTURE}') AS captured,
           min(amount) FILTER (WHERE kind = '{Kind.CAPTURE}') AS paid,
           string_agg(id::text, ', ' ORDER BY sequence) FILTER (WHERE kind = '{Kind.REFUND}') AS refunds,
           count(*) FILTER (WHERE kind = '{Kind.REFUND}') AS refunded,
           min(amount) FILTER (WHERE kind = '{Kind.REFUND}') AS given_back
    FROM transfers WHERE kind IN ('{Kind.CAPTURE}', '{Kind.REFUND}') AND order_id IS NOT NULL
    GROUP BY user_id, order_id
) t USING (user_id, order_id)
WHERE p.transfer_id::text IS DISTINCT FROM t.captures
   OR (p.decision = '{Decision.CAPTURED}') IS DISTINCT FROM (t.captures IS NOT NULL)
   OR p.decision NOT IN ({", ".join(f"'{decision}'" for decision in Decision)})
   OR t.refunded > 1 OR t.refunded > t.captured OR t.given_back <> t.paid
"""


def decision_faults(row: Row) -> Iterator[Fault]:
    fault = partial(Fault, f"order {row['order_id']} of {row['user_id']}")
    decision, paid = row["decision"], f"paid by transfer {row['captures']}"
    if row["captured"] > 1:
        yield fault("captured_twice", paid, "paid at most once")
    if decision is None:
        if row["captured"] > 0:
            yield fault("transfer_without_payment", f"{paid}, no decision", "captured")
    elif decision == Decision.CAPTURED and row["captured"] == 0:
        expected = f"paid by transfer {row['transfer_id']}"
        yield fault("payment_without_transfer", "captured, no transfer", expected)
    elif decision in (Decision.DECLINED, Decision.VOIDED) and row["captured"] > 0:
        yield fault(f"{decision}_but_paid", f"{decision}, {paid}", "no transfer")
    elif decision not in tuple(Decision):
        yield fault("decision_unknown", decision, f"one of {', '.join(Decision)}")
    elif row["captured"] <= 1 and row["transfer_id"] != row["captures"]:
        named = f"{decision}, names transfer {word(row['transfer_id'])}"
        yield fault("other_transfer", named, word(row["captures"]))
    refunded = f"refunded by transfer {row['refunds']}"
    if row["refunded"] > 1:
        yield fault("refunded_twice", refunded, "refunded at most once")
    if row["refunded"] > 0 and row["captured"] == 0:
        yield fault("refunded_not_paid", refunded, "paid before")
    elif row["refunded"] > 0 and row["given_back"] != row["paid"]:
        expected = f"{money(row['paid'])}, as it was paid"
        yield fault("refund_differs", f"refunded {money(row['given_back'])}", expected)


CHECKS = (
    Check(
        "accounts",
        "a balance is the sum of its transfers, and never negative",
        ("accounts",),
        ACCOUNTS,
        account_faults,
    ),
    Check(
        "transfers",
        "numbered without a gap; each balance follows from the balance before it",
        ("transfers",),
        TRANSFERS,
        transfer_faults,
    ),
    Check(
        "money",
        "all balances plus the revenue equal all deposits plus corrections",
        ("accounts", "transfers"),
        MONEY,
        money_faults,
    ),
    Check(
        "decisions",
        "a captured payment has one transfer and at most one refund; other payments have none",
        ("payments",),
        DECISIONS,
        decision_faults,
    ),
)

"""Checks within the database of orders that the history of each order is complete and legal."""

from collections.abc import Iterator
from functools import partial

from kernel.adapters.postgres.audit import Check, Row
from kernel.domain.faults import Fault, word
from orders.domain.status import Status

# All legal status histories, including histories of unfinished orders.
STATUS_HISTORIES = (
    (Status.NEW,),
    (Status.NEW, Status.FINISHED),
    (Status.NEW, Status.CANCELLED),
    (Status.NEW, Status.FINISHED, Status.REFUNDING),
    (Status.NEW, Status.FINISHED, Status.REFUNDING, Status.REFUNDED),
)
_STATUS_HISTORIES = ", ".join(f"'{' > '.join(status_history)}'" for status_history in STATUS_HISTORIES)

HISTORIES = f"""
SELECT user_id, id, o.status, o.reason,
       h.number, h.first, h.last, h.statuses, h.last_status, h.last_reason
FROM orders o
FULL JOIN (
    SELECT user_id, order_id AS id, count(*) AS number, min(sequence) AS first, max(sequence) AS last,
           string_agg(status, ' > ' ORDER BY sequence) AS statuses,
           (array_agg(status ORDER BY sequence DESC))[1] AS last_status,
           (array_agg(reason ORDER BY sequence DESC))[1] AS last_reason
    FROM order_history GROUP BY user_id, order_id
) h USING (user_id, id)
WHERE o.status IS NULL OR h.statuses IS NULL
   OR h.first <> 1 OR h.last <> h.number
   OR h.statuses NOT IN ({_STATUS_HISTORIES})
   OR (h.last_status, h.last_reason) IS DISTINCT FROM (o.status, o.reason)
"""


def history_faults(row: Row) -> Iterator[Fault]:
    fault = partial(Fault, f"order {row['id']} of {row['user_id']}")
    if row["statuses"] is None:
        yield fault("history_missing", "no history", f"a history up to {row['status']}")
        return
    if row["status"] is None:
        yield fault("history_without_order", f"a history up to {row['last_status']}", "an order")
        return
    if row["first"] != 1 or row["last"] != row["number"]:
        found = f"{row['number']} rows, numbered {row['first']} to {row['last']}"
        yield fault("history_gap", found, f"every number from 1 to {row['last']}")
    elif tuple(row["statuses"].split(" > ")) not in STATUS_HISTORIES:
        yield fault("history_illegal", row["statuses"], "a history that the contract allows")
    last, current = (row["last_status"], row["last_reason"]), (row["status"], row["reason"])
    if last != current:
        yield fault(
            "history_not_status", f"history ends {_state(*last)}", f"{_state(*current)}, as the order"
        )


def _state(status: str, reason: str | None) -> str:
    return status if reason is None else f"{status} ({word(reason)})"


CHECKS = (
    Check(
        "histories",
        "no gap, only legal steps, and the last status is that of the order",
        ("orders",),
        HISTORIES,
        history_faults,
    ),
)

"""Damages to the database of orders, each with the faults that the audit finds."""

from tests.unit.shop.audit.books import LONG_UNCHANGED, UNDECIDED, UNKNOWN, Damage

ORDER_PLACED = "shop.orders.order-placed.v1"
FINISHED_AGAIN = "DELETE FROM order_history WHERE order_id = '<refunded>' AND sequence > 2;"


DAMAGES_OF_ORDERS = [
    Damage(
        "an order that is FINISHED although it was declined",
        """
        UPDATE orders SET status = 'FINISHED', reason = NULL WHERE id = '<declined>';
        UPDATE order_history SET status = 'FINISHED', reason = NULL
            WHERE order_id = '<declined>' AND sequence = 2
        """,
        (("finished_not_captured", "order <declined> of alice"),),
    ),
    Damage(
        "an order that is CANCELLED although it was captured",
        """
        UPDATE orders SET status = 'CANCELLED', reason = 'insufficient_funds' WHERE id = '<paid>';
        UPDATE order_history SET status = 'CANCELLED', reason = 'insufficient_funds'
            WHERE order_id = '<paid>' AND sequence = 2
        """,
        (("cancelled_not_declined", "order <paid> of alice"),),
    ),
    Damage(
        "another reason",
        """
        UPDATE orders SET reason = 'account_not_found' WHERE id = '<declined>';
        UPDATE order_history SET reason = 'account_not_found' WHERE order_id = '<declined>' AND sequence = 2
        """,
        (("reason_differs", "order <declined> of alice"),),
    ),
    Damage(
        "a changed amount of an order",
        "UPDATE orders SET amount = amount - 1 WHERE id = '<paid>'",
        (("amount_differs", "order <paid> of alice"),),
    ),
    Damage(
        "an order that is REFUNDED although nothing was given back",
        """
        UPDATE orders SET status = 'REFUNDED' WHERE id = '<paid>';
        INSERT INTO order_history VALUES ('alice', '<paid>', 3, 'REFUNDING', NULL, now()),
            ('alice', '<paid>', 4, 'REFUNDED', NULL, now())
        """,
        (("refunded_not_given_back", "order <paid> of alice"),),
    ),
    Damage(
        "an order that is FINISHED although it was given back",
        f"{FINISHED_AGAIN} UPDATE orders SET status = 'FINISHED' WHERE id = '<refunded>'",
        (("finished_not_captured", "order <refunded> of erin"),),
    ),
    Damage(
        "an order that is being refunded although it was declined",
        """
        UPDATE orders SET status = 'REFUNDING', reason = NULL WHERE id = '<declined>';
        UPDATE order_history SET status = 'FINISHED', reason = NULL
            WHERE order_id = '<declined>' AND sequence = 2;
        INSERT INTO order_history VALUES ('alice', '<declined>', 3, 'REFUNDING', NULL, now())
        """,
        (("refunding_not_captured", "order <declined> of alice"),),
    ),
    Damage(
        "a forgotten refund",
        f"""
        UPDATE orders SET status = 'REFUNDING', {LONG_UNCHANGED} WHERE id = '<paid>';
        INSERT INTO order_history VALUES ('alice', '<paid>', 3, 'REFUNDING', NULL, now())
        """,
        (("order_forgotten", "order <paid> of alice"),),
    ),
    Damage(
        "an order that its user cancelled although it was declined",
        """
        UPDATE orders SET reason = 'cancelled_by_user' WHERE id = '<declined>';
        UPDATE order_history SET reason = 'cancelled_by_user' WHERE order_id = '<declined>' AND sequence = 2
        """,
        (("reason_differs", "order <declined> of alice"),),
    ),
    Damage(
        "a deleted order",
        "DELETE FROM orders WHERE id = '<paid>'; DELETE FROM order_history WHERE order_id = '<paid>'",
        (("order_missing", "order <paid> of alice"),),
    ),
    Damage("a forgotten order", UNDECIDED, (("order_forgotten", "order <unknown> of alice"),)),
    Damage(
        "a gap in the history",
        "DELETE FROM order_history WHERE order_id = '<paid>' AND sequence = 1",
        (("history_gap", "order <paid> of alice"),),
    ),
    Damage(
        "an order without history",
        "DELETE FROM order_history WHERE order_id = '<paid>'",
        (("history_missing", "order <paid> of alice"),),
    ),
    Damage(
        "a history without an order",
        "INSERT INTO order_history VALUES ('alice', '<unknown>', 1, 'NEW', NULL, now())",
        (("history_without_order", "order <unknown> of alice"),),
    ),
    Damage(
        "a history with a step that is not allowed",
        "INSERT INTO order_history VALUES ('alice', '<paid>', 3, 'FINISHED', NULL, now())",
        (("history_illegal", "order <paid> of alice"),),
    ),
    Damage(
        "a history that does not end as the order is",
        "UPDATE order_history SET status = 'CANCELLED' WHERE order_id = '<paid>' AND sequence = 2",
        (("history_not_status", "order <paid> of alice"),),
    ),
    Damage(
        "an unknown status",
        "UPDATE orders SET status = 'PAID' WHERE id = '<paid>'",
        (("history_not_status", "order <paid> of alice"), ("status_unknown", "order <paid> of alice")),
    ),
    Damage(
        "a stuck row of the orders' outbox",
        f"INSERT INTO outbox VALUES ('{ORDER_PLACED}', '<unknown>', '\\x00ff')",
        (("outbox_stuck", f"message {ORDER_PLACED} {UNKNOWN}"),),
    ),
]

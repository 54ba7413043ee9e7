"""The scenario of the shop, walked with a generated client.

test_client.py generates `shop_client`, and runs this with the URL of the gateway.
"""

import sys
import time
from decimal import Decimal
from uuid import uuid4

from shop_client import Client
from shop_client.api.accounts import deposit, get_account, list_transactions, open_account
from shop_client.api.orders import cancel_order, get_order, get_order_history, list_orders, place_order
from shop_client.models import Deposit, OpenAccount, OrderStatus, PlaceOrder

WITHIN_S = 10


def walk(client: Client) -> None:
    user, key = f"client-{uuid4().hex}", uuid4().hex
    opened = open_account.sync(client=client, body=OpenAccount(user_id=user))
    assert (opened.user_id, opened.balance) == (user, 0)
    assert open_account.sync(client=client, body=OpenAccount(user_id=user)).code == "account_exists"

    topped_up = deposit.sync(user, client=client, body=Deposit(amount="100.00"), idempotency_key=key)
    again = deposit.sync_detailed(user, client=client, body=Deposit(amount=100), idempotency_key=key)
    assert (again.parsed, again.headers["Idempotency-Replayed"]) == (topped_up, "true")

    wish = PlaceOrder(user_id=user, amount="49.90", description="a book")
    placed = place_order.sync_detailed(client=client, body=wish, prefer="wait=10")
    assert (placed.status_code, placed.parsed.amount) == (201, 49.9)
    assert placed.headers["Location"] == f"/orders/{placed.parsed.id}"
    assert status_of(placed.parsed.id, client, until=OrderStatus.FINISHED)
    too_much = PlaceOrder(user_id=user, amount="50.11")
    assert place_order.sync(client=client, body=too_much).code == "insufficient_funds"

    assert cancel_order.sync(placed.parsed.id, client=client).id == placed.parsed.id
    assert status_of(placed.parsed.id, client, until=OrderStatus.REFUNDED)
    assert cancel_order.sync(placed.parsed.id, client=client).code == "order_refunded"

    history = get_order_history.sync(placed.parsed.id, client=client)
    assert [change.status.value for change in history] == ["NEW", "FINISHED", "REFUNDING", "REFUNDED"]
    assert [order.id for order in list_orders.sync(client=client, user_id=user)] == [placed.parsed.id]
    statement = list_transactions.sync(user, client=client, limit=10)
    assert [line.kind.value for line in statement] == ["refund", "capture", "deposit"]
    assert sum(Decimal(str(line.amount)) for line in statement) == 100
    assert get_account.sync(user, client=client).balance == 100


def status_of(order_id: object, client: Client, *, until: OrderStatus) -> bool:
    deadline = time.monotonic() + WITHIN_S
    while (order := get_order.sync(order_id, client=client)).status != until:
        assert time.monotonic() < deadline, order
        time.sleep(0.05)
    return True


if __name__ == "__main__":
    with Client(base_url=sys.argv[1], raise_on_unexpected_status=True) as client:
        walk(client)

"""Rows travel as JSON documents. A column without a field of its name would silently be null."""

from dataclasses import fields

import pytest
from sqlalchemy import Table

from orders.adapters.outbound.tables import ORDER_HISTORY, ORDERS
from orders.domain.order import Order
from orders.domain.status import StatusChanged
from payments.adapters.outbound.tables import ACCOUNTS, PAYMENTS, TRANSFERS
from payments.domain.account import Account
from payments.domain.payment import Payment
from payments.domain.transfer import Transfer


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (ORDERS, Order),
        (ORDER_HISTORY, StatusChanged),
        (ACCOUNTS, Account),
        (TRANSFERS, Transfer),
        (PAYMENTS, Payment),
    ],
    ids=lambda part: getattr(part, "name", None) or part.__name__,
)
def test_each_column_has_a_field_of_its_name(table: Table, kind: type) -> None:
    assert {column.name for column in table.c} == {field.name for field in fields(kind)}

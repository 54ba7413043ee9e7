"""The audit names the culprit of every damage."""

import pytest

from tests.unit.shop.audit.books import Books, Damage, culprits
from tests.unit.shop.audit.damages_of_orders import DAMAGES_OF_ORDERS
from tests.unit.shop.audit.damages_of_payments import DAMAGES_OF_PAYMENTS


@pytest.mark.parametrize("damage", DAMAGES_OF_PAYMENTS + DAMAGES_OF_ORDERS, ids=lambda damage: damage.done)
async def test_the_audit_names_the_culprit_of(damage: Damage, books: Books) -> None:
    await books.harm(damage.service, damage.statements)
    report = await books.audit()
    assert culprits(report) == [(kind, books.named(subject)) for kind, subject in damage.found]
    assert (report.sound, report.fault_count) == (False, len(damage.found))
    assert all(fault.found != fault.expected for fault in report.faults)

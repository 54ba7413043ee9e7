"""What services declare for the audit, and what is checked of every service that has a database."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from msgspec import field

from kernel.adapters.postgres.audit import Check, Row
from kernel.contracts.messaging import Messaging
from kernel.domain.faults import Fault
from kernel.service import Service
from kernel.settings import DatabaseUrl, Port, Settings, SettingsError
from payments.adapters.outbound import tables
from shop.audit.auditing import audit, checks_of
from shop.services import OURS, Shop, load_shop
from tests.unit.shop.audit.books import UNKNOWN, Books, culprits, with_database


class BesideSettings(Settings, frozen=True, kw_only=True):
    port: Port = field(default=5004, name="beside_port")
    database_url: DatabaseUrl | None = field(default=None, name="beside_database_url")


def poor(row: Row) -> Iterator[Fault]:
    yield Fault(f"account of {row['user_id']}", "poor", "nothing", "something")


# Its database is made like that of payments.
SCHEMA = replace(tables.SCHEMA, service="beside")
CHECKS = (
    Check("wealth", "nobody is poor", ("accounts",), "SELECT user_id FROM accounts WHERE balance = 0", poor),
)
BESIDE = Service(
    messaging=Messaging(service="beside"),
    settings=BesideSettings,
    main="beside.main",
    schema=f"{__name__}:SCHEMA",
    audit=f"{__name__}:CHECKS",
)


async def beside(books: Books, harm: str = "") -> Shop:
    for statement in ("DROP DATABASE IF EXISTS beside", "CREATE DATABASE beside TEMPLATE payments"):
        await books.server.execute(statement)
    books.urls["beside"] = with_database(books.urls["payments"], "beside")
    if harm:
        await books.harm("beside", harm)
    settings = {f"{name.upper()}_DATABASE_URL": url for name, url in books.urls.items()}
    return load_shop(settings, [*OURS, BESIDE])


async def test_the_checks_of_a_service_beside_run_after_ours(books: Books) -> None:
    report = await audit(await beside(books), patience_s=0)
    checked = [(checked.check, checked.faults) for checked in report.checked]
    assert checked[-3:] == [("wealth", 2), ("orders", 0), ("outboxes", 0)]
    assert {fault.check for fault in report.faults} == {"wealth"}
    assert ("poor", "account of bob") in culprits(report)


async def test_work_that_waits_in_a_service_beside_is_told_as_of_ours(books: Books) -> None:
    shop = await beside(
        books,
        f"INSERT INTO outbox VALUES ('t', '{UNKNOWN}', '', 1);"
        "INSERT INTO parked_messages VALUES ('t', 's', 'r', '', '', 1, now(), now())",
    )
    report = await audit(shop, at_rest=True, patience_s=0)
    assert ("outbox_stuck", f"message t {UNKNOWN}") in culprits(report)
    assert (report.waiting.outbox, report.parked) == (1, 1)
    assert report.waiting.not_running == ["orders", "payments", "beside"]


@pytest.mark.parametrize("name", ["accounts", "outboxes"])
def test_two_checks_of_one_name_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.CHECKS", (replace(CHECKS[0], name=name),))
    with pytest.raises(SettingsError, match=f"^two checks of the audit are named {name}$"):
        checks_of(load_shop({}, [*OURS, BESIDE]))

"""The audit finds nothing in the books of a healthy shop, and in damaged ones exactly what was damaged."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import shop.audit.auditing
from kernel.adapters.postgres.checks.schema import SchemaMismatch
from kernel.domain.errors import Unavailable
from kernel.domain.faults import SHOWN_MAX
from shop.audit.auditing import audit
from shop.audit.findings import Waiting
from tests.databases import on
from tests.servers.ports import free_port
from tests.servers.process import Process
from tests.unit.shop.audit.books import (
    CAPTURED,
    LONG_UNCHANGED,
    UNDECIDED,
    UNKNOWN,
    Books,
    culprits,
    with_database,
)

OLD = "created_at = created_at - interval '61 s'"
NEW_AGAIN = f"""
    UPDATE orders SET status = 'NEW', {OLD} WHERE id = '<paid>';
    DELETE FROM order_history WHERE order_id = '<paid>' AND sequence = 2;
"""


REFUNDING_AGAIN = f"""
    DELETE FROM order_history WHERE order_id = '<refunded>' AND sequence > 3;
    UPDATE orders SET status = 'REFUNDING', {LONG_UNCHANGED} WHERE id = '<refunded>';
"""


async def test_the_books_of_a_healthy_shop_have_no_fault(books: Books) -> None:
    for at_rest in (False, True):
        report = await books.audit(at_rest=at_rest)
        assert culprits(report) == []
        assert (report.sound, report.fault_count, report.parked) == (True, 0, 0)
        counts = {checked.check: checked.count for checked in report.checked}
        assert counts == {
            "histories": 6,
            "accounts": 4,
            "transfers": 10,
            "money": 14,
            "decisions": 6,
            "orders": 6,
            "outboxes": 0,
        }


@pytest.mark.parametrize(
    ("of_orders", "of_payments", "found"),
    [
        (
            NEW_AGAIN,
            f"UPDATE payments SET {OLD} WHERE order_id = '<paid>'",
            ("order_still_new", "order <paid> of alice"),
        ),
        (
            REFUNDING_AGAIN,
            f"UPDATE transfers SET {OLD} WHERE <refund>",
            ("order_still_refunding", "order <refunded> of erin"),
        ),
    ],
    ids=["new", "refunding"],
)
async def test_an_order_that_is_not_settled_long_after_payments_answered_is_a_fault(
    books: Books, of_orders: str, of_payments: str, found: tuple[str, str]
) -> None:
    await books.harm("orders", of_orders)
    assert culprits(await books.audit()) == [], "its answer may be under way"
    await books.harm("payments", of_payments)
    (fault,) = (await books.audit()).faults
    assert (fault.kind, fault.subject) == (found[0], books.named(found[1]))


async def test_a_young_refund_may_be_under_way_unless_the_shop_is_at_rest(books: Books) -> None:
    await books.harm(
        "orders",
        "UPDATE orders SET status = 'REFUNDING', updated_at = now() WHERE id = '<paid>';"
        "INSERT INTO order_history VALUES ('alice', '<paid>', 3, 'REFUNDING', NULL, now())",
    )
    assert culprits(await books.audit()) == []
    forgotten = ("order_forgotten", books.named("order <paid> of alice"))
    assert culprits(await books.audit(at_rest=True)) == [forgotten]


async def test_an_order_that_its_user_cancelled_before_it_was_paid_is_no_fault(books: Books) -> None:
    await books.harm(
        "orders",
        """
        UPDATE orders SET reason = 'cancelled_by_user' WHERE id = '<declined>';
        UPDATE order_history SET reason = 'cancelled_by_user' WHERE order_id = '<declined>' AND sequence = 2
        """,
    )
    await books.harm(
        "payments", "UPDATE payments SET decision = 'voided', reason = NULL WHERE order_id = '<declined>'"
    )
    assert culprits(await books.audit(at_rest=True)) == []


@pytest.mark.parametrize("service", ["orders", "payments"])
async def test_an_undecided_order_that_a_message_names_is_not_forgotten(service: str, books: Books) -> None:
    await books.harm("orders", UNDECIDED)
    other = UNKNOWN[:-1] + "1"
    events = ",".join(f'{{"id":"1","subject":"{id}","data":{{}}}}' for id in (other, UNKNOWN, other))
    now_id = "01ffffff-0000-7000-8000-000000000000"
    await books.harm(
        service, f"INSERT INTO outbox VALUES ('a type', '{now_id}', convert_to('{events}', 'UTF8'), 3)"
    )
    assert culprits(await books.audit()) == []
    report = await books.audit(at_rest=True)
    assert culprits(report) == [("outbox_stuck", f"message a type {now_id}")]
    assert report.faults[0].found.endswith(f" for order {other} and 2 others")


@pytest.mark.parametrize("service", ["orders", "payments"])
async def test_an_undecided_order_that_a_parked_message_names_waits_for_the_operator(
    service: str, books: Books
) -> None:
    await books.harm("orders", UNDECIDED)
    await books.harm(
        service, "INSERT INTO parked_messages VALUES ('t', '<unknown>', 'r', '', '', 1, now(), now())"
    )
    report = await books.audit(at_rest=True)
    assert (culprits(report), report.parked) == ([], 1)


async def test_an_undecided_order_whose_parked_message_was_discarded_is_forgotten(books: Books) -> None:
    await books.harm("orders", UNDECIDED)
    await books.harm(
        "orders",
        "INSERT INTO discarded_messages VALUES"
        f" ('{UNKNOWN}', 't', '<unknown>', 'r', '', '', 1, now(), now(), now(), 'ada', '')",
    )
    assert culprits(await books.audit()) == [("order_forgotten", f"order {UNKNOWN} of alice")]


STUCK = ("outbox_stuck", f"message a type {UNKNOWN}")


@pytest.mark.parametrize(
    ("running", "found"), [((), []), (("orders",), []), (("payments",), [STUCK])], ids=str
)
async def test_work_that_waits_for_a_service_that_does_not_run_is_told_and_no_fault(
    running: tuple[str, ...], found: list[tuple[str, str]], books: Books
) -> None:
    await books.harm("orders", UNDECIDED)
    row = f"('a type', '{UNKNOWN}', convert_to('{{}}', 'UTF8'), 1)"
    await books.harm("payments", f"INSERT INTO outbox VALUES {row}")
    report = await books.audit(running=running, patience_s=0.2)
    assert culprits(report) == found
    idle = [service for service in ("orders", "payments") if service not in running]
    assert report.waiting == Waiting(new=1, refunding=0, outbox=1, not_running=idle)
    assert STUCK in culprits(await books.audit(running=running, at_rest=True))


async def test_services_whose_urls_name_their_sessions_are_seen_to_run(books: Books) -> None:
    await books.harm("orders", UNDECIDED)
    report = await books.audit(called="accounting")
    assert (report.sound, report.waiting.not_running) == (False, [])


async def test_a_young_order_may_be_undecided_unless_the_shop_is_at_rest(books: Books) -> None:
    await books.harm("orders", UNDECIDED + "; UPDATE orders SET created_at = now() WHERE id = '<unknown>'")
    assert culprits(await books.audit()) == []
    forgotten = ("order_forgotten", f"order {UNKNOWN} of alice")
    assert culprits(await books.audit(at_rest=True)) == [forgotten]


async def test_a_difference_that_is_gone_at_a_second_look_is_no_fault(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.audit.auditing, "LOOK_EVERY_S", 0.2)
    await books.harm("orders", UNDECIDED)
    await books.harm("payments", f"INSERT INTO outbox VALUES ('{CAPTURED}', '<unknown>', '')")
    looking = asyncio.create_task(books.audit(patience_s=20))
    await asyncio.sleep(0.5)
    assert not looking.done()
    await books.harm("payments", "DELETE FROM outbox")
    await books.harm("orders", "DELETE FROM orders WHERE id = '<unknown>'")
    assert culprits(await asyncio.wait_for(looking, 5)) == []


async def test_an_old_backlog_that_is_being_drained_is_no_fault(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.audit.auditing, "LOOK_EVERY_S", 0.2)
    newer = UNKNOWN[:-1] + "1"
    await books.harm("orders", f"INSERT INTO outbox VALUES ('t', '<unknown>', ''), ('t', '{newer}', '')")
    looking = asyncio.create_task(books.audit(patience_s=20))
    await asyncio.sleep(0.5)
    await books.harm("orders", "DELETE FROM outbox WHERE id = '<unknown>'")
    assert culprits(await asyncio.wait_for(looking, 5)) == []


async def test_all_faults_are_counted_and_some_are_shown(books: Books) -> None:
    await books.harm(
        "orders",
        "INSERT INTO order_history"
        " SELECT 'dave', ('01900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 1, 'NEW', NULL, now()"
        " FROM generate_series(1, 250) n",
    )
    report = await books.audit()
    assert (report.fault_count, len(report.faults)) == (250, SHOWN_MAX)


async def test_more_suspects_than_are_kept_in_memory_are_all_looked_at(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.audit.auditing, "SUSPECTS_MAX", 2)
    await books.harm("payments", "DELETE FROM payments; DELETE FROM transfers; DELETE FROM accounts")
    report = await books.audit()
    assert len(culprits(report)) == report.fault_count == 6


async def test_progress_comes_to_its_end(books: Books) -> None:
    progress: list[Any] = []
    await audit(on(**books.urls), patience_s=0, progress=lambda *rows: progress.append(rows))
    assert progress == sorted(progress)
    assert progress[-1][0] == progress[-1][1]


async def test_a_database_without_its_schema_or_without_a_server_is_named(books: Books) -> None:
    empty = with_database(books.urls["orders"], "postgres")
    with pytest.raises(SchemaMismatch, match=r"the payments database postgres at .* was never migrated"):
        await audit(on(orders=books.urls["orders"], payments=empty))
    away = f"postgresql://shop@127.0.0.1:{free_port()}/orders"
    with pytest.raises(Unavailable, match=r"the orders database orders at .*: Connection refused"):
        await audit(on(orders=away, payments=books.urls["payments"]))


async def test_an_audit_that_loses_its_database_says_so_and_nothing_of_the_books(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.audit.auditing, "LOOK_EVERY_S", 0.1)
    await books.harm("orders", UNDECIDED)
    looking = asyncio.create_task(books.audit(patience_s=20))
    await asyncio.sleep(0.5)
    await books.server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shop audit'"
    )
    await books.harm("orders", "DELETE FROM orders WHERE id = '<unknown>'")
    with pytest.raises(Unavailable, match="the database is away"):
        await asyncio.wait_for(looking, 5)


@pytest.mark.parametrize("arguments", [["audit"], ["audit", "--json"]], ids=" ".join)
async def test_the_command_fails_and_names_the_culprit(
    arguments: list[str], books: Books, tmp_path: Path
) -> None:
    await books.harm("orders", "DELETE FROM order_history WHERE order_id = '<paid>'")
    urls = {f"{service.upper()}_DATABASE_URL": url for service, url in books.urls.items()}
    command = Process(*arguments, settings=urls, logs=tmp_path)
    assert await command.run() == 1
    assert books.named("order <paid> of alice") in command.stdout
    assert "history_missing" in command.stdout
    assert "Traceback" not in command.stderr

"""The audit finds nothing in the books of a healthy shop, and in damaged ones exactly what was damaged."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

import shop.audit.auditing
from kernel.adapters.embedded.postgres import EmbeddedPostgres
from kernel.adapters.postgres.checks.schema import SchemaMismatch
from kernel.domain.errors import Unavailable
from shop.audit.auditing import audit
from shop.audit.findings import SHOWN_MAX, Check, Report, Waiting
from shop.services import load_shop
from shop.serving import open_shop, url_of
from tests.servers.ports import free_port
from tests.servers.shop import Process
from tests.spec.scenario import Http, Store, expect

UNKNOWN = "01900000-0000-7000-8000-000000000000"
ORDER_PLACED = "shop.orders.order-placed.v1"
CAPTURED = "shop.payments.payment-captured.v1"


_numbers = itertools.count()


@dataclass(frozen=True)
class Books:
    """The databases of a shop that has closed, and the names of what is in them."""

    server: asyncpg.Connection
    urls: dict[str, str]
    names: dict[str, str]

    async def audit(
        self,
        *,
        at_rest: bool = False,
        patience_s: float = 0,
        running: Collection[str] = ("orders", "payments"),
    ) -> Report:
        """As if these services were running: each has a connection."""
        name = {"application_name": "shop"}
        services = [await asyncpg.connect(self.urls[one], server_settings=name) for one in running]
        try:
            return await audit(
                self.urls["orders"], self.urls["payments"], at_rest=at_rest, patience_s=patience_s
            )
        finally:
            for service in services:
                await service.close()

    async def harm(self, service: str, statements: str) -> None:
        """As only the owner of the server can: a replica fires no triggers for append-only.

        Done to a copy, which the first harm makes.
        """
        if self.urls[service].endswith(f"/{service}"):
            name = f"{service}_{next(_numbers)}"
            await self.server.execute(f"CREATE DATABASE {name} TEMPLATE {service}")
            self.urls[service] = with_database(self.urls[service], name)
        connection = await asyncpg.connect(self.urls[service])
        try:
            await connection.execute(f"SET session_replication_role = replica; {self.named(statements)}")
        finally:
            await connection.close()

    def named(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"<{name}>", value)
        return text


@pytest.fixture(scope="module")
async def healthy(scratch: Path) -> AsyncIterator[Books]:
    """The books that a real shop made."""
    with EmbeddedPostgres(scratch / "audit", database="orders", options={"fsync": "off"}) as postgres:
        admin = await asyncpg.connect(with_database(postgres.url, "postgres"))
        await admin.execute("CREATE DATABASE payments")
        urls = {service: with_database(postgres.url, service) for service in ("orders", "payments")}
        yield Books(admin, urls, await go_shopping(urls))
        await admin.close()


def with_database(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


async def go_shopping(urls: dict[str, str]) -> dict[str, str]:
    """Deposits, and orders that are paid, declined and refunded; the ids of some of them."""
    ports = {f"{name}_PORT": str(free_port()) for name in ("GATEWAY", "ORDERS", "PAYMENTS")}
    shop = load_shop({f"{name.upper()}_DATABASE_URL": url for name, url in urls.items()} | ports)
    async with open_shop(shop, asyncio.Event()), aiohttp.ClientSession() as session:
        gateway = url_of(shop, "gateway")
        store = Store(Http(session), f"{gateway}/accounts", f"{gateway}/orders")
        for user in ("alice", "bob", "carol", "erin"):
            expect(201, await store.http.post(store.accounts, {"userId": user}))
        await store.deposit("alice", "100.00")
        # Each alone could be paid, so both are accepted, and one is declined.
        outcomes = await store.in_batch(*[{"userId": "alice", "amount": "60.00"}] * 2)
        decided = [await store.decided(outcome["order"]["id"]) for outcome in outcomes]
        first, declined = sorted(decided, key=lambda order: str(order["status"]), reverse=True)
        assert (first["status"], declined["status"]) == ("FINISHED", "CANCELLED")
        await store.deposit("alice", "50.00")
        paid = await store.decided((await store.placed("alice", "10.25"))["id"])
        last = await store.decided((await store.placed("alice", "5.00"))["id"])
        await store.deposit("carol", "20.00")
        other = await store.decided((await store.placed("carol", "20.00"))["id"])
        await store.deposit("erin", "30.00")
        returned = await store.decided((await store.placed("erin", "30.00"))["id"])
        refunded = await store.cancelled(returned["id"])
    orders = {
        "first": first,
        "declined": declined,
        "paid": paid,
        "last": last,
        "other": other,
        "refunded": refunded,
    }
    return {
        **{name: order["id"] for name, order in orders.items()},
        "unknown": UNKNOWN,
        # The transfer that paid alice's order of 10.25.
        "payment": "user_id = 'alice' AND sequence = 4",
        "refund": "user_id = 'erin' AND sequence = 3",
    }


@pytest.fixture
def books(healthy: Books) -> Books:
    """They may be harmed."""
    return replace(healthy, urls=dict(healthy.urls))


@dataclass(frozen=True)
class Damage:
    """What is done to a database, and what the audit should say of it: kinds and subjects."""

    done: str
    service: str
    statements: str
    found: tuple[tuple[str, str], ...]


ALICE = "account of alice"
OFF = ("money_off", "all accounts")
OLD = "created_at = created_at - interval '61 s'"
NEW_AGAIN = f"""
    UPDATE orders SET status = 'NEW', {OLD} WHERE id = '<paid>';
    DELETE FROM order_history WHERE order_id = '<paid>' AND sequence = 2;
"""
LONG_UNCHANGED = "updated_at = updated_at - interval '61 s'"
FINISHED_AGAIN = "DELETE FROM order_history WHERE order_id = '<refunded>' AND sequence > 2;"
UNDECIDED = """
    INSERT INTO orders (user_id, id, amount, currency, description, status, created_at, updated_at)
        VALUES ('alice', '<unknown>', 100, 'RUB', '', 'NEW', now() - interval '61 s', now());
    INSERT INTO order_history VALUES ('alice', '<unknown>', 1, 'NEW', NULL, now());
"""
TRANSFER = (
    "INSERT INTO transfers (user_id, sequence, id, kind, debit_account, credit_account, amount, order_id,"
)

DAMAGES = [
    Damage(
        "a changed balance",
        "payments",
        "UPDATE accounts SET balance = balance + 1 WHERE user_id = 'alice'",
        (("balance_not_sum", ALICE), ("balance_not_last", ALICE), OFF),
    ),
    Damage(
        "a negative balance",
        "payments",
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
        "payments",
        "UPDATE accounts SET sequence = sequence + 1 WHERE user_id = 'alice'",
        (("sequence_not_last", ALICE),),
    ),
    Damage(
        "a deleted account",
        "payments",
        "DELETE FROM accounts WHERE user_id = 'carol'",
        (("account_missing", "account of carol"), ("currency_differs", "order <other> of carol")),
    ),
    Damage(
        "a deleted transfer",
        "payments",
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
        "payments",
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
        "payments",
        """
        UPDATE transfers SET sequence = 6 WHERE user_id = 'alice' AND sequence = 5;
        UPDATE accounts SET sequence = 6 WHERE user_id = 'alice'
        """,
        (("sequence_gap", "transfer 6 of alice"),),
    ),
    Damage(
        "money that comes from nowhere",
        "payments",
        "UPDATE transfers SET debit_account = 'system:thin-air' WHERE user_id = 'alice' AND sequence = 1",
        (("transfer_malformed", "transfer 1 of alice"), OFF),
    ),
    Damage(
        "a second capture",
        "payments",
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
        "payments",
        f"""
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
        "payments",
        "UPDATE accounts SET currency = 'EUR' WHERE user_id = 'carol'",
        (("currency_differs", "order <other> of carol"),),
    ),
    Damage(
        "a transfer without a payment",
        "payments",
        "DELETE FROM payments WHERE order_id = '<paid>'",
        (("transfer_without_payment", "order <paid> of alice"),),
    ),
    Damage(
        "a payment that names another transfer",
        "payments",
        "UPDATE payments SET transfer_id = '<unknown>' WHERE order_id = '<paid>'",
        (("other_transfer", "order <paid> of alice"),),
    ),
    Damage(
        "a payment without a transfer",
        "payments",
        "UPDATE payments SET decision = 'captured', reason = NULL, transfer_id = '<unknown>'"
        " WHERE order_id = '<declined>'",
        (
            ("payment_without_transfer", "order <declined> of alice"),
            ("cancelled_not_declined", "order <declined> of alice"),
        ),
    ),
    Damage(
        "a declined order that was paid",
        "payments",
        "UPDATE payments SET decision = 'declined', reason = 'insufficient_funds' WHERE order_id = '<paid>'",
        (("declined_but_paid", "order <paid> of alice"), ("finished_not_captured", "order <paid> of alice")),
    ),
    Damage(
        "a voided order that was paid",
        "payments",
        "UPDATE payments SET decision = 'voided' WHERE order_id = '<paid>'",
        (("voided_but_paid", "order <paid> of alice"), ("finished_not_captured", "order <paid> of alice")),
    ),
    Damage(
        "a second refund",
        "payments",
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
        "payments",
        """
        UPDATE transfers SET amount = amount - 1, balance_after = balance_after - 1 WHERE <refund>;
        UPDATE accounts SET balance = balance - 1 WHERE user_id = 'erin'
        """,
        (("refund_differs", "order <refunded> of erin"),),
    ),
    Damage(
        "a refund of what was never paid",
        "payments",
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
        "payments",
        "UPDATE transfers SET debit_account = 'system:thin-air' WHERE <refund>",
        (("transfer_malformed", "transfer 3 of erin"), OFF),
    ),
    Damage(
        "a refund that is gone",
        "payments",
        """
        DELETE FROM transfers WHERE <refund>;
        UPDATE accounts SET sequence = 2, balance = 0 WHERE user_id = 'erin'
        """,
        (("refunded_not_given_back", "order <refunded> of erin"),),
    ),
    Damage(
        "an unknown decision",
        "payments",
        "UPDATE payments SET decision = 'perhaps' WHERE order_id = '<declined>'",
        (
            ("decision_unknown", "order <declined> of alice"),
            ("cancelled_not_declined", "order <declined> of alice"),
        ),
    ),
    Damage(
        "an order paid in full elsewhere but not here: FINISHED without capture",
        "payments",
        """
        DELETE FROM payments WHERE order_id = '<last>';
        DELETE FROM transfers WHERE order_id = '<last>';
        UPDATE accounts SET sequence = 4, balance = balance + 500 WHERE user_id = 'alice'
        """,
        (("finished_not_captured", "order <last> of alice"),),
    ),
    Damage(
        "an order that is FINISHED although it was declined",
        "orders",
        """
        UPDATE orders SET status = 'FINISHED', reason = NULL WHERE id = '<declined>';
        UPDATE order_history SET status = 'FINISHED', reason = NULL
            WHERE order_id = '<declined>' AND sequence = 2
        """,
        (("finished_not_captured", "order <declined> of alice"),),
    ),
    Damage(
        "an order that is CANCELLED although it was captured",
        "orders",
        """
        UPDATE orders SET status = 'CANCELLED', reason = 'insufficient_funds' WHERE id = '<paid>';
        UPDATE order_history SET status = 'CANCELLED', reason = 'insufficient_funds'
            WHERE order_id = '<paid>' AND sequence = 2
        """,
        (("cancelled_not_declined", "order <paid> of alice"),),
    ),
    Damage(
        "another reason",
        "orders",
        """
        UPDATE orders SET reason = 'account_not_found' WHERE id = '<declined>';
        UPDATE order_history SET reason = 'account_not_found' WHERE order_id = '<declined>' AND sequence = 2
        """,
        (("reason_differs", "order <declined> of alice"),),
    ),
    Damage(
        "a changed amount of an order",
        "orders",
        "UPDATE orders SET amount = amount - 1 WHERE id = '<paid>'",
        (("amount_differs", "order <paid> of alice"),),
    ),
    Damage(
        "an order that is REFUNDED although nothing was given back",
        "orders",
        """
        UPDATE orders SET status = 'REFUNDED' WHERE id = '<paid>';
        INSERT INTO order_history VALUES ('alice', '<paid>', 3, 'REFUNDING', NULL, now()),
            ('alice', '<paid>', 4, 'REFUNDED', NULL, now())
        """,
        (("refunded_not_given_back", "order <paid> of alice"),),
    ),
    Damage(
        "an order that is FINISHED although it was given back",
        "orders",
        f"{FINISHED_AGAIN} UPDATE orders SET status = 'FINISHED' WHERE id = '<refunded>'",
        (("finished_not_captured", "order <refunded> of erin"),),
    ),
    Damage(
        "an order that is being refunded although it was declined",
        "orders",
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
        "orders",
        f"""
        UPDATE orders SET status = 'REFUNDING', {LONG_UNCHANGED} WHERE id = '<paid>';
        INSERT INTO order_history VALUES ('alice', '<paid>', 3, 'REFUNDING', NULL, now())
        """,
        (("order_forgotten", "order <paid> of alice"),),
    ),
    Damage(
        "an order that its user cancelled although it was declined",
        "orders",
        """
        UPDATE orders SET reason = 'cancelled_by_user' WHERE id = '<declined>';
        UPDATE order_history SET reason = 'cancelled_by_user' WHERE order_id = '<declined>' AND sequence = 2
        """,
        (("reason_differs", "order <declined> of alice"),),
    ),
    Damage(
        "a deleted order",
        "orders",
        "DELETE FROM orders WHERE id = '<paid>'; DELETE FROM order_history WHERE order_id = '<paid>'",
        (("order_missing", "order <paid> of alice"),),
    ),
    Damage("a forgotten order", "orders", UNDECIDED, (("order_forgotten", "order <unknown> of alice"),)),
    Damage(
        "a gap in the history",
        "orders",
        "DELETE FROM order_history WHERE order_id = '<paid>' AND sequence = 1",
        (("history_gap", "order <paid> of alice"),),
    ),
    Damage(
        "an order without history",
        "orders",
        "DELETE FROM order_history WHERE order_id = '<paid>'",
        (("history_missing", "order <paid> of alice"),),
    ),
    Damage(
        "a history without an order",
        "orders",
        "INSERT INTO order_history VALUES ('alice', '<unknown>', 1, 'NEW', NULL, now())",
        (("history_without_order", "order <unknown> of alice"),),
    ),
    Damage(
        "a history with a step that is not allowed",
        "orders",
        "INSERT INTO order_history VALUES ('alice', '<paid>', 3, 'FINISHED', NULL, now())",
        (("history_illegal", "order <paid> of alice"),),
    ),
    Damage(
        "a history that does not end as the order is",
        "orders",
        "UPDATE order_history SET status = 'CANCELLED' WHERE order_id = '<paid>' AND sequence = 2",
        (("history_not_status", "order <paid> of alice"),),
    ),
    Damage(
        "an unknown status",
        "orders",
        "UPDATE orders SET status = 'PAID' WHERE id = '<paid>'",
        (("history_not_status", "order <paid> of alice"), ("status_unknown", "order <paid> of alice")),
    ),
    Damage(
        "a stuck row of the orders' outbox",
        "orders",
        f"INSERT INTO outbox VALUES ('{ORDER_PLACED}', '<unknown>', '\\x00ff')",
        (("outbox_stuck", f"message {ORDER_PLACED} {UNKNOWN}"),),
    ),
    Damage(
        "a stuck row of the payments' outbox",
        "payments",
        f"INSERT INTO outbox VALUES ('{CAPTURED}', '<unknown>', '{{}}')",
        (("outbox_stuck", f"message {CAPTURED} {UNKNOWN}"),),
    ),
]


def culprits(report: Report) -> list[tuple[str, str]]:
    return [(fault.kind, fault.subject.partition(" (")[0]) for fault in report.faults]


async def test_the_books_of_a_healthy_shop_have_no_fault(books: Books) -> None:
    for at_rest in (False, True):
        report = await books.audit(at_rest=at_rest)
        assert culprits(report) == []
        assert (report.sound, report.fault_count, report.parked) == (True, 0, 0)
        counts = {checked.check: checked.count for checked in report.checked}
        assert counts == {
            Check.ACCOUNTS: 4,
            Check.TRANSFERS: 10,
            Check.MONEY: 14,
            Check.DECISIONS: 6,
            Check.HISTORIES: 6,
            Check.ORDERS: 6,
            Check.OUTBOXES: 0,
        }


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.done)
async def test_the_audit_names_the_culprit_of(damage: Damage, books: Books) -> None:
    await books.harm(damage.service, damage.statements)
    report = await books.audit()
    assert culprits(report) == [(kind, books.named(subject)) for kind, subject in damage.found]
    assert (report.sound, report.fault_count) == (False, len(damage.found))
    assert all(fault.found != fault.expected for fault in report.faults)


async def test_an_order_that_is_new_long_after_its_payment_was_captured_is_a_fault(books: Books) -> None:
    await books.harm("orders", NEW_AGAIN)
    assert culprits(await books.audit()) == [], "its answer may be under way"
    await books.harm("payments", f"UPDATE payments SET {OLD} WHERE order_id = '<paid>'")
    (fault,) = (await books.audit()).faults
    assert (fault.kind, fault.subject) == ("order_still_new", books.named("order <paid> of alice"))


async def test_an_order_that_is_still_being_refunded_long_after_the_money_went_back_is_a_fault(
    books: Books,
) -> None:
    await books.harm(
        "orders",
        "DELETE FROM order_history WHERE order_id = '<refunded>' AND sequence > 3;"
        f"UPDATE orders SET status = 'REFUNDING', {LONG_UNCHANGED} WHERE id = '<refunded>'",
    )
    assert culprits(await books.audit()) == [], "its answer may be under way"
    await books.harm("payments", f"UPDATE transfers SET {OLD} WHERE <refund>")
    (fault,) = (await books.audit()).faults
    assert (fault.kind, fault.subject) == ("order_still_refunding", books.named("order <refunded> of erin"))


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
async def test_what_waits_for_a_service_that_does_not_run_is_told_and_no_fault(
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


async def test_a_young_order_may_be_undecided_unless_the_shop_is_at_rest(books: Books) -> None:
    await books.harm("orders", UNDECIDED + "; UPDATE orders SET created_at = now() WHERE id = '<unknown>'")
    assert culprits(await books.audit()) == []
    forgotten = ("order_forgotten", f"order {UNKNOWN} of alice")
    assert culprits(await books.audit(at_rest=True)) == [forgotten]


async def test_what_comes_right_at_a_second_look_is_no_fault(
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
    await audit(
        books.urls["orders"],
        books.urls["payments"],
        patience_s=0,
        progress=lambda *rows: progress.append(rows),
    )
    assert progress == sorted(progress)
    assert progress[-1][0] == progress[-1][1]


async def test_a_database_without_its_schema_or_without_a_server_is_named(books: Books) -> None:
    empty = with_database(books.urls["orders"], "postgres")
    with pytest.raises(SchemaMismatch, match=r"the payments database postgres at .* was never migrated"):
        await audit(books.urls["orders"], empty)
    with pytest.raises(Unavailable, match=r"the orders database orders at .*: Connection refused"):
        await audit(f"postgresql://127.0.0.1:{free_port()}/orders", books.urls["payments"])


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
    command.spawn()
    assert await command.ended() == 1
    assert books.named("order <paid> of alice") in command.stdout
    assert "history_missing" in command.stdout
    assert "Traceback" not in command.stderr

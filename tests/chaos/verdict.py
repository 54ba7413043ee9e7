"""Checks, once the shop is at rest, that all data is as the clients were told."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import asyncpg

from shop.audit.auditing import audit
from tests.chaos.history import History, Order, Outcome, hundredths, units
from tests.chaos.messages import Poisoner
from tests.chaos.shop import SERVICES, ChaosShop
from tests.databases import on
from tests.servers.database import connected
from tests.servers.process import eventually

PAGE_SIZE = 500
# A letter to a lost leader is sent again at the second round of DEAD_LETTERS_AGAIN_MS at the latest.
DEAD_LETTERED_WITHIN_S = 20


@dataclass
class Verdict:
    """Compares the clients' records with the shop's answers and with its databases."""

    shop: ChaosShop
    history: History
    poisoner: Poisoner

    async def check(self) -> None:
        """Runs all checks. Each difference is added to `history` as a violation."""
        async with self.shop.as_operator() as session:
            stored = [order async for order in all_orders(session)]
            spent = self._check_orders(stored)
            deposited = await self._check_deposits()
            for user in sorted(self.history.accounts):
                account = await get(session, f"/accounts/{user}")
                expected = deposited[user] - spent[user]
                if hundredths(account["balance"]) != expected:
                    self.history.violates(f"{user} has {account['balance']}, should have {units(expected)}")
        for service in SERVICES:
            await self._check_parked(service)
            await self._check_dead_letters(service)
        report = await audit(on(**self.shop.database_urls), at_rest=True)
        for fault in report.faults:
            self.history.violates(f"audit: {fault}")
        for name, replica in self.shop.replicas.items():
            for trouble in replica.crashes + replica.errors:
                self.history.violates(f"{name}: {trouble}")

    def _check_orders(self, stored: list[dict[str, Any]]) -> Counter[str]:
        """Checks that every order was placed once, and not refused. Returns each user's spending."""
        history, spent = self.history, Counter[str]()
        seen: set[str] = set()
        for shown in stored:
            if shown["userId"] in history.others:
                continue
            order = history.orders.get(shown["description"])
            if order is None:
                history.violates(f"nobody placed {shown}")
                continue
            if order.tag in seen:
                history.violates(f"stored twice: {shown} as {order}", doubled=1)
            seen.add(order.tag)
            if order.outcome is Outcome.REFUSED:
                history.violates(f"refused, and stored all the same: {shown}")
            if order.id not in ("", shown["id"]):
                history.violates(f"answered as {order.id}, stored as {shown['id']}", doubled=1)
            history.seen(order, shown)
            if (shown["status"], shown["reason"]) not in possible_outcomes(order):
                history.violates(f"no outcome for an order: {shown}, {order}")
            if shown["status"] == "FINISHED":
                spent[order.user] += order.amount
        for order in history.orders.values():
            if order.outcome is Outcome.ACCEPTED and order.tag not in seen:
                history.violates(f"accepted, and lost: {order}", lost=1)
        return spent

    async def _check_deposits(self) -> Counter[str]:
        """Checks the deposits by their amounts, which are unique per user. Returns each user's sum."""
        query = "SELECT user_id, amount FROM transfers WHERE kind = 'deposit'"
        transfers = Counter(
            (row["user_id"], row["amount"]) for row in await rows(self.shop, "payments", query)
        )
        known = {(deposit.user, deposit.amount): deposit for deposit in self.history.deposits}
        deposited = Counter[str]()
        for (user, amount), count in transfers.items():
            if user in self.history.others:
                continue
            deposited[user] += amount * count
            deposit = known.get((user, amount))
            if deposit is None or deposit.outcome is Outcome.REFUSED:
                self.history.violates(f"nobody deposited {units(amount)} for {user}, or was told it failed")
            if count > 1:
                self.history.violates(f"deposited {count} times: {deposit}", doubled=count - 1)
        for key, deposit in known.items():
            if deposit.outcome is Outcome.ACCEPTED and key not in transfers:
                self.history.violates(f"deposited, and lost: {deposit}", lost=1)
        return deposited

    async def _check_parked(self, service: str) -> None:
        """Checks that every poison with an event is parked once, and nothing else is."""
        query = "SELECT type, subject, reason, count FROM parked_messages WHERE NOT dead_letter"
        parked = {tuple(row)[:3]: row["count"] for row in await rows(self.shop, service, query)}
        for row in parked.keys() - {dose.parked for dose in self.poisoner.sent if dose.service == service}:
            self.history.violates(f"{service} parked what is no poison: {row}")
        for row in {
            dose.parked for dose in self.poisoner.confirmed if dose.service == service and dose.parked
        } - parked.keys():
            self.history.violates(f"{service} did not park {row}", lost=1)
        for row, count in parked.items():
            if count != 1:
                self.history.violates(f"{service} parked {row} {count} times", doubled=count - 1)

    async def _check_dead_letters(self, service: str) -> None:
        """Checks that every unreadable poison is parked unchanged, and nothing else is. A poison may be
        parked twice, because the broker may make two dead letters of one message."""
        expected = {
            dose.body for dose in self.poisoner.confirmed if dose.service == service and not dose.parked
        }
        sent = {dose.body for dose in self.poisoner.sent if dose.service == service}
        found: set[bytes] = set()

        async def all_there() -> bool:
            query = "SELECT payload FROM parked_messages WHERE dead_letter"
            found.update(row["payload"] for row in await rows(self.shop, service, query))
            assert expected <= found, f"{len(expected - found)} are missing"
            return True

        try:
            await eventually(all_there, within=DEAD_LETTERED_WITHIN_S, every=0.5)
        except AssertionError as error:
            self.history.violates(f"dead letters of {service}: {error}", lost=len(expected - found))
        for body in found - sent:
            self.history.violates(f"{service} dead-lettered what is no poison: {body[:200]!r}")


def possible_outcomes(order: Order) -> set[tuple[str, str | None]]:
    """The possible (status, reason) of an order, by its client's requests and their answers."""
    found: set[tuple[str, str | None]] = {("CANCELLED", "insufficient_funds")}
    if order.cancellation is not Outcome.ACCEPTED:
        found.add(("FINISHED", None))
    if order.cancellation is not Outcome.REFUSED:
        found |= {("CANCELLED", "cancelled_by_user"), ("REFUNDED", None)}
    return found


async def all_orders(session: aiohttp.ClientSession) -> AsyncIterator[dict[str, Any]]:
    url: Any = f"/orders?limit={PAGE_SIZE}"
    while url:
        async with session.get(url, raise_for_status=True) as answer:
            for order in json.loads(await answer.read(), parse_float=Decimal):
                yield order
            following = answer.links.get("next")
            url = following["url"].relative() if following else None


async def get(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path, raise_for_status=True) as answer:
        return json.loads(await answer.read(), parse_float=Decimal)


async def rows(shop: ChaosShop, service: str, query: str) -> list[asyncpg.Record]:
    async with connected(shop.database_urls[service]) as connection:
        return list(await connection.fetch(query))

"""Clients that use the gateway during all faults, and record the answers they get."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import aiohttp

from kernel.domain.caller import Role
from tests.chaos.history import History, Order, Outcome, Wish, units
from tests.chaos.shop import ChaosShop
from tests.servers.keys import Keys

# The client's timeout, longer than the gateway's longest time to answer.
ANSWERS_WITHIN_S = 15
CLIENTS_COUNT = 24
HOT_COUNT = 4
AMOUNT_MAX = 2000
PAUSE_S_MAX = 0.1
REPEATS_MAX = 5
# A cancellation takes one of the last so many orders, most of which are still on their way.
RECENT = 50

# The status that `_ask` returns if no server was reached.
NEVER_SENT = 0
LOST = -1

# Deposits are two thirds of what the orders ask for, so some of these are refused.
ACTS = {"deposit": 20, "order": 45, "batch": 15, "cancel": 8, "look": 8, "replay": 4}


class Clients:
    """Concurrent clients. Half of their calls use a few accounts that all clients share."""

    def __init__(self, shop: ChaosShop, seed: str, history: History) -> None:
        self._gateway = shop.gateway
        self._tokens = Tokens(shop.keys)
        self._seed = seed
        self._history = history
        self._stopped = asyncio.Event()
        self._accepted: list[Order] = []

    def stop(self) -> None:
        self._stopped.set()

    async def run(self) -> None:
        """Runs the clients until `stop`, and until every call has an answer or was given up."""
        timeout = aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(self._gateway, timeout=timeout, connector=connector) as session:
            self._session = session
            hot = [f"hot-{self._seed}-{number}" for number in range(HOT_COUNT)]
            own = [f"own-{self._seed}-{number}" for number in range(CLIENTS_COUNT)]
            await asyncio.gather(*map(self._open, hot + own))
            await asyncio.gather(*(self._shop(number, user, hot) for number, user in enumerate(own)))

    async def _shop(self, number: int, own: str, hot: Sequence[str]) -> None:
        dice = Random(f"{self._seed} {number}")
        while not self._stopped.is_set():
            user = dice.choice(hot) if dice.random() < 0.5 else own
            (act,) = dice.choices(list(ACTS), list(ACTS.values()))
            match act:
                case "deposit":
                    await self._deposit(user, dice.randint(2000, 6000))
                case "order":
                    await self._place(self._order(user, dice))
                case "batch":
                    users = [dice.choice([user, *hot]) for _ in range(dice.randint(1, 8))]
                    await self._place_batch([self._order(one, dice, keyed=True) for one in users])
                case "cancel" if self._accepted:
                    await self._cancel(dice.choice(self._accepted[-RECENT:]))
                case "look" if self._accepted:
                    await self._look(dice.choice(self._accepted))
                case "replay" if self._accepted:
                    await self._place_batch([one for one in [dice.choice(self._accepted)] if one.key])
            await asyncio.sleep(dice.random() * PAUSE_S_MAX)

    def _order(self, user: str, dice: Random, *, keyed: bool = False) -> Order:
        return self._history.order(user, dice.randint(1, AMOUNT_MAX), keyed=keyed)

    async def _open(self, user: str) -> None:
        while not self._stopped.is_set():
            status, answer = await self._ask(user, "POST", "/accounts", {"userId": user})
            if status in (201, 409):
                self._history.accounts.add(user)
                return
            if not nothing_known(status):
                self._history.violates(f"opening an account was answered {status} {answer}")
            await asyncio.sleep(0.5)

    async def _deposit(self, user: str, amount: int) -> None:
        deposit = self._history.deposit(user, amount)
        status, answer = await self._ask(
            user, "POST", f"/accounts/{user}/deposit", {"amount": units(deposit.amount)}
        )
        if status == 200:
            deposit.outcome = Outcome.ACCEPTED
        else:
            self._not_accepted(deposit, status, answer)

    async def _place(self, order: Order) -> None:
        status, answer = await self._ask(order.user, "POST", "/orders", body(order))
        self._decoded(order, status, answer, answer)

    async def _place_batch(self, orders: Sequence[Order]) -> None:
        """Places the orders, and repeats those with an unknown outcome, with the same keys."""
        for _ in range(REPEATS_MAX):
            if not orders:
                return
            status, answer = await self._ask(None, "POST", "/orders/batch", list(map(body, orders)))
            items = answer if status == 200 else [{"status": status, "problem": answer}] * len(orders)
            for order, item in zip(orders, items, strict=True):
                self._decoded(order, item["status"], item.get("order"), item.get("problem"))
            orders = [
                order for order, item in zip(orders, items, strict=True) if nothing_known(item["status"])
            ]
            if orders:
                await asyncio.sleep(0.3)

    async def _cancel(self, order: Order) -> None:
        status, answer = await self._ask(order.user, "POST", f"/orders/{order.id}/cancel")
        if status == 202:
            order.cancellation = Outcome.ACCEPTED
            self._history.seen(order, answer)
        elif status == 409:
            # The order is over, perhaps by this very call: the gateway asks again when an answer is lost.
            order.cancellation = Outcome.ACCEPTED
        elif status in (LOST, 504):
            if order.cancellation is Outcome.REFUSED:
                order.cancellation = Outcome.UNKNOWN
        elif status not in (NEVER_SENT, 503):
            self._history.violates(f"cancelling an order was answered {status} {answer}")

    async def _look(self, order: Order) -> None:
        status, answer = await self._ask(order.user, "GET", f"/orders/{order.id}")
        if status == 200:
            self._history.seen(order, answer)
        elif status == 404:
            self._history.violates(f"order {order.id} was accepted and is not found", lost=1)
        elif not nothing_known(status):
            self._history.violates(f"reading an order was answered {status} {answer}")

    def _decoded(self, order: Order, status: int, shown: Any, problem: Any) -> None:
        if status == 201:
            if order.outcome is not Outcome.ACCEPTED:
                self._accepted.append(order)
            self._history.accepted(order, shown)
        else:
            self._not_accepted(order, status, problem)

    def _not_accepted(self, wish: Wish, status: int, problem: Any) -> None:
        if status in (LOST, 504):
            wish.lost_answer()
        elif status == 402 and wish.outcome is Outcome.ACCEPTED:
            self._history.violates(f"{wish} was accepted, and its repeat refused")
        elif status not in (NEVER_SENT, 402, 503):
            wish.lost_answer()
            self._history.violates(f"{wish} was answered {status} {problem}")

    async def _ask(self, user: str | None, method: str, path: str, wish: Any = None) -> tuple[int, Any]:
        """Sends a request as `user`, or, with None, as an operator, who may order for several users."""
        data = None if wish is None else json.dumps(wish)
        headers = {**self._tokens.of(user), **({} if wish is None else {"Content-Type": "application/json"})}
        try:
            async with self._session.request(method, path, data=data, headers=headers) as answer:
                return answer.status, read(await answer.read())
        except aiohttp.ClientConnectorError:
            return NEVER_SENT, None
        except (aiohttp.ClientError, TimeoutError):
            return LOST, None


class Tokens:
    """A token for each caller, signed once."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._headers: dict[str | None, Mapping[str, str]] = {}

    def of(self, user: str | None) -> Mapping[str, str]:
        if user not in self._headers:
            who = ("prover", Role.OPERATOR) if user is None else (user, Role.USER)
            self._headers[user] = self._keys.headers(*who)
        return self._headers[user]


def read(body: bytes) -> Any:
    """Parses an answer as JSON. Returns the body unparsed if it is not JSON, which is a fault."""
    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError:
        return body


def nothing_known(status: int) -> bool:
    """Whether the outcome is unknown, so that the call has to be repeated."""
    return status in (NEVER_SENT, LOST, 503, 504)


def body(order: Order) -> dict[str, str]:
    wish = {"userId": order.user, "amount": units(order.amount), "description": order.tag}
    return wish | ({"idempotencyKey": order.key} if order.key else {})

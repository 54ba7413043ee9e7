"""The walk-through of README.md, for people: a deposit, and orders that are paid, refused and returned."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from kernel.contracts.values import encode
from kernel.domain.errors import Unavailable
from kernel.settings import SettingsError
from shop.console import new_console, new_progress, print_table, shown
from shop.databases import own_databases
from shop.identity import operator_headers
from shop.migrating import require_given_databases
from shop.services import Shop
from shop.serving import answers, open_shop, url_of
from shop.terminal import say_facts

DEPOSIT = Decimal("100.00")
BASKET = {"a book": Decimal("30.00"), "a lamp": Decimal("45.50"), "a pen": Decimal("4.50")}
TOO_DEAR = ("a piano", Decimal("5000.00"))
RETURNED = ("a vase", Decimal("20.00"))
BALANCE = DEPOSIT - sum(BASKET.values())
DECIDED_WITHIN_S = 15


class Step(msgspec.Struct, rename="camel"):
    """One line of the demo: what was done, what the shop answered, and what it should have answered."""

    done: str
    amount: Decimal | None
    answer: str
    expected: str

    @property
    def holds(self) -> bool:
        return self.answer == self.expected


class Story(msgspec.Struct, rename="camel"):
    user_id: str
    steps: list[Step]

    @property
    def holds(self) -> bool:
        return all(step.holds for step in self.steps)


def run_demo(shop: Shop, *, as_json: bool) -> bool:
    """Plays the demo on the running shop, or else starts one. Returns whether every step went as expected."""
    if asyncio.run(answers(url_of(shop, "gateway"))):
        story = asyncio.run(_show_progress(shop))
    else:
        asyncio.run(require_given_databases(shop))
        with own_databases(shop) as complete:
            story = asyncio.run(_on_own_shop(complete))
    if as_json:
        say_facts(encode({"userId": story.user_id, "holds": story.holds, "steps": story.steps}))
    else:
        show(story, new_console())
    return story.holds


async def _on_own_shop(shop: Shop) -> Story:
    # Lines about services that start and stop would only distract.
    logging.getLogger("kernel.adapters.telemetry").setLevel(logging.WARNING)
    async with open_shop(shop, asyncio.Event()):
        return await _show_progress(shop)


async def _show_progress(shop: Shop) -> Story:
    gateway, user = url_of(shop, "gateway"), f"demo-{uuid4()}"
    with new_progress() as bar:
        try:
            return await play(gateway, user, operator_headers(shop, user), bar)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unavailable(f"{gateway} does not answer as a shop does: {error!r}") from error


async def play(gateway: str, user: str, headers: Mapping[str, str], progress: Progress) -> Story:
    """Walks through the shop at `gateway` as a new user. Raises aiohttp.ClientError if nobody answers, and
    SettingsError if the shop refuses `headers`."""
    story = Story(user, [])
    task = progress.add_task("a new user goes shopping", total=len(BASKET) * 2 + 8)

    def add_step(done: str, amount: Decimal | None, answer: object, expected: object) -> None:
        story.steps.append(Step(done, amount, str(answer), str(expected)))
        progress.advance(task)

    timeout = aiohttp.ClientTimeout(total=DECIDED_WITHIN_S)
    async with aiohttp.ClientSession(gateway, timeout=timeout, headers=headers) as session:
        status, _ = await _post(session, "/accounts", {"userId": story.user_id})
        if status in (401, 403):
            raise SettingsError(
                f"SHOP_TOKEN has to be an operator's, of this shop: {gateway} answers {status}"
            )
        add_step("open an account", None, status, 201)
        _, account = await _post(session, f"/accounts/{story.user_id}/deposit", {"amount": DEPOSIT})
        add_step("deposit", DEPOSIT, f"balance {account.get('balance')}", f"balance {DEPOSIT}")

        placed: dict[str, Any] = {}
        wanted = BASKET | dict([RETURNED])
        for description, amount in wanted.items():
            order = {"userId": story.user_id, "amount": amount, "description": description}
            _, placed[description] = await _post(session, "/orders", order)
            add_step(f"order {description}", amount, placed[description].get("status"), "NEW")
        description, amount = TOO_DEAR
        order = {"userId": story.user_id, "amount": amount, "description": description}
        _, problem = await _post(session, "/orders", order)
        add_step(f"order {description}", amount, problem.get("code"), "insufficient_funds")

        for description, order in placed.items():
            decided = await _left(session, order, "NEW")
            add_step(f"… {description} is paid", wanted[description], decided, "FINISHED")
        description, amount = RETURNED
        _, order = await _post(session, f"/orders/{placed[description].get('id')}/cancel", None)
        add_step(f"cancel {description}", amount, order.get("status"), "REFUNDING")
        add_step(f"… {description} is refunded", amount, await _left(session, order, "REFUNDING"), "REFUNDED")
        account = await _get(session, f"/accounts/{story.user_id}")
        add_step("what is left", None, f"balance {account.get('balance')}", f"balance {BALANCE}")
    return story


def show(story: Story, console: Console) -> None:
    table = Table(title=f"The shopping of {story.user_id}")
    for name in ("step", "amount", "the shop says", ""):
        table.add_column(name, justify="right" if name == "amount" else "left")
    for step in story.steps:
        verdict = "[green]as it should be" if step.holds else f"[red]expected {shown(step.expected)}"
        table.add_row(step.done, "" if step.amount is None else str(step.amount), shown(step.answer), verdict)
    print_table(console, table)
    paid = sum(BASKET.values())
    if story.holds:
        console.print(f"{DEPOSIT} came in, {paid} was spent on {len(BASKET)} orders, {BALANCE} is left.")
    else:
        console.print("[red]Something is not as it should be.")


async def _left(session: aiohttp.ClientSession, order: dict[str, Any], passing: str) -> str:
    """Waits until the order's status differs from `passing`, at most DECIDED_WITHIN_S. Returns the status."""
    status = passing
    with suppress(TimeoutError):
        async with asyncio.timeout(DECIDED_WITHIN_S):
            while status == passing:
                status = str((await _get(session, f"/orders/{order.get('id')}")).get("status"))
                await asyncio.sleep(0.05)
    return status


async def _get(session: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with session.get(path) as response:
        return _decode(await response.read())


async def _post(session: aiohttp.ClientSession, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json"}
    data = None if body is None else encode(body)
    async with session.post(path, data=data, headers=headers) as response:
        return response.status, _decode(await response.read())


def _decode(body: bytes) -> dict[str, Any]:
    return msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(body)

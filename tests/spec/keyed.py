"""Changes that bear an Idempotency-Key, and what their answers say of it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

import aiohttp
import msgspec

from tests.spec.scenario import Answer, expect
from tests.spec.store import Store

KEY, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"

Change = Callable[[Store, str, str], Awaitable[Answer]]


async def order(store: Store, user: str, key: str, amount: object = "1.00", description: str = "") -> Answer:
    wish = {"userId": user, "amount": amount, "description": description}
    return await store.http.post(store.orders, wish, [(KEY, key)])


class Outcome(msgspec.Struct, forbid_unknown_fields=True):
    """The outcome of one order of a batch."""

    status: int
    order: msgspec.Raw = msgspec.Raw()
    problem: msgspec.Raw = msgspec.Raw()
    replayed: bool = False


async def order_in_batch(
    store: Store, user: str, key: str, amount: object = "1.00", description: str = ""
) -> Answer:
    """The outcome of a batch of one order, written as the route for single orders answers."""
    wish = {"userId": user, "amount": amount, "description": description, "idempotencyKey": key}
    batch = await store.http.post(store.batch, [wish])
    expect(200, batch)
    [outcome] = msgspec.json.decode(batch.body, type=list[Outcome])
    if outcome.status != 201:
        problem = {"Content-Type": "application/problem+json"}
        return Answer(store.orders, outcome.status, problem, bytes(outcome.problem))
    told = {REPLAYED: "true"} if outcome.replayed else {}
    return Answer(store.orders, outcome.status, told, bytes(outcome.order))


async def deposit_by_post(store: Store, user: str, key: str, amount: object = "1.00") -> Answer:
    return await store.http.post(store.deposit_url(user), {"amount": amount}, [(KEY, key)])


async def deposit_by_get(store: Store, user: str, key: str, amount: object = "1.00") -> Answer:
    return await store.http.get(f"{store.deposit_url(user)}?amount={amount}", [(KEY, key)])


async def opening(store: Store, user: str, key: str) -> Answer:
    return await store.http.post(store.accounts, {"userId": user}, [(KEY, key)])


def replayed(answer: Answer) -> bool:
    """Whether the answer says that it is an earlier one."""
    assert answer.status in (200, 201), answer
    assert answer.headers.get(REPLAYED) in (None, "true")
    return REPLAYED in answer.headers


def assert_one_first(answers: Iterable[Answer]) -> None:
    assert Counter(map(replayed, answers))[False] == 1


async def until_known(change: Callable[[], Awaitable[Answer]]) -> Answer:
    """Asks again and again, as one may with a key, until the answer tells the outcome."""
    while True:
        try:
            answer = await change()
            if answer.status not in (503, 504):
                return answer
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(0.05)

"""The visible effects of a fault, and the use case that it struck."""

import sys
from collections import Counter
from enum import StrEnum
from types import FrameType
from typing import Any

import msgspec

from kernel.domain.events import MessageId
from tests.assembly import Parts
from tests.memory.inbox import MemoryInbox
from tests.memory.orders import ORDERS
from tests.memory.payments import ACCOUNTS
from tests.simulation.clients import NOT_NOW, NOTHING, REPLAYED
from tests.simulation.faults import Fault, OneFault
from tests.simulation.shop import Shop


class Effect(StrEnum):
    ROLLED_BACK = "rolled back"
    NO_ANSWER = "no answer, asks again"
    NOT_NOW = "503, asks again"
    REPLAYED = "found by its key"
    NOT_CHECKED = "accepted unchecked"
    DELIVERED_AGAIN = "delivered again"
    PUBLISHED_AGAIN = "published again"
    KNOWN = "known to the inbox"
    ASKED_AGAIN = "asked again"


MEANING = {
    Effect.ROLLED_BACK: "the transaction changes nothing, and the work is done again in a new one",
    Effect.NO_ANSWER: "the caller gets no answer, and repeats the request with the same key",
    Effect.NOT_NOW: "the caller is told that nothing was done, and tries again later",
    Effect.REPLAYED: "the repeated request finds the row of the first one, and is answered from it",
    Effect.NOT_CHECKED: "payments could not be asked before; the order is accepted, and decided later",
    Effect.DELIVERED_AGAIN: "the message was not acknowledged, so the bus delivers it once more",
    Effect.PUBLISHED_AGAIN: "the event was confirmed, but is still in the outbox, so it is published again",
    Effect.KNOWN: "the inbox has this event already: it is acknowledged, and nothing else is done",
    Effect.ASKED_AGAIN: "the order is overdue: orders asks payments once more, and gets the same decision",
}


class Watched(OneFault):
    """Knows for each call the use case that made it; None for calls between processes."""

    def __init__(self, number: int | None = None, fault: Fault | None = None, **options: Any) -> None:
        super().__init__(number, fault, **options)
        self.use_cases: list[type | None] = []
        self.known_count = 0
        self.parts = Parts(inbox=lambda uow, clock: WatchedInbox(uow, clock, self))

    def draw(self, call: str) -> Fault | None:
        self.use_cases.append(use_case(sys._getframe()))
        return super().draw(call)


class WatchedInbox(MemoryInbox):
    def __init__(self, uow: Any, clock: Any, weather: Watched) -> None:
        super().__init__(uow, clock)
        self._weather = weather

    async def claim_message(self, message: MessageId) -> bool:
        fresh = await super().claim_message(message)
        self._weather.known_count += not fresh
        return fresh


def use_case(frame: FrameType | None) -> type | None:
    """The innermost use case that is under way in this task: coroutines that await are on the stack too."""
    while frame is not None:
        if ".application." in str(frame.f_globals.get("__name__")) and "self" in frame.f_locals:
            return type(frame.f_locals["self"])
        frame = frame.f_back
    return None


def seen(weather: Watched, shop: Shop) -> Counter[Effect]:
    """Counts how often each effect was seen. Some effects are also seen without faults."""
    counts = Counter(
        {
            Effect.ROLLED_BACK: shop.rollbacks_count,
            Effect.DELIVERED_AGAIN: shop.broker.redeliveries_count,
            Effect.KNOWN: weather.known_count,
            Effect.ASKED_AGAIN: shop.repeated_requests_count,
        }
    )
    ids = [event["id"] for body in shop.broker.published for event in events(body)]
    counts[Effect.PUBLISHED_AGAIN] = len(ids) - len(set(ids))
    for intent in shop.intents:
        heard = Counter(intent.answers)
        counts[Effect.NO_ANSWER] += heard[NOTHING]
        counts[Effect.NOT_NOW] += heard[NOT_NOW]
        counts[Effect.REPLAYED] += heard[REPLAYED]
        counts[Effect.NOT_CHECKED] -= heard["insufficient_funds"]
    return counts


def end(shop: Shop) -> tuple[list[tuple[str, str]], list[tuple[str, int]]]:
    """The final state: the status of each order, and the balance of each account."""
    orders = [(order.description, order.status.value) for order in shop.databases["orders"].rows(ORDERS)]
    accounts = [(account.user_id, account.balance) for account in shop.databases["payments"].rows(ACCOUNTS)]
    return sorted(orders), sorted(accounts)


def events(body: bytes) -> list[dict[str, str]]:
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return []
    return decoded if isinstance(decoded, list) else [decoded]

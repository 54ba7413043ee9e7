"""Planted bugs of orders, and of the answers to the clients who placed them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from kernel.application.group_commit import GroupCommit
from kernel.domain.errors import NotFound, OutcomeUnknown, Refused
from kernel.domain.events import Unhandled
from orders.application.place_orders import PlaceOrders
from orders.application.settle_orders import SettleOrders
from orders.domain.placing import expired
from orders.domain.status import Status
from tests.assembly import Parts
from tests.memory.orders import ORDER_HISTORY, MemoryHistory, MemoryOrders
from tests.memory.outbox import MemoryOutbox
from tests.memory.parked import MemoryParkedMessages
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.simulation.bugs import BUGS, Bug, NoInbox
from tests.simulation.faults import COMMIT, Fault
from tests.simulation.promises import Promise
from tests.simulation.scenarios import main_flow


def remembering() -> Parts:
    refusals: dict[Any, Refused] = {}

    class RefusalsUnderKey(PlaceOrders):
        async def __call__(self, commands: Sequence[Any], **checked: bool) -> list[Any]:
            outcomes: list[Any] = await super().__call__(commands, **checked)
            for n, command in enumerate(commands):
                key = command.user_id, command.idempotency_key
                if command.idempotency_key and isinstance(outcomes[n], Refused):
                    refusals.setdefault(key, outcomes[n])
                outcomes[n] = refusals.get(key, outcomes[n])
            return outcomes

    return Parts(place_orders=RefusalsUnderKey)


BUGS["a refusal is stored under its key"] = Bug(breaks=Promise.PAYABLE, parts=remembering)


class KeysIgnored(PlaceOrders):
    async def __call__(self, commands: Sequence[Any], **checked: bool) -> list[Any]:
        return await super().__call__([replace(c, idempotency_key=None) for c in commands], **checked)


BUGS["the key of an order is ignored"] = Bug(
    breaks=Promise.ONCE, parts=lambda: Parts(place_orders=KeysIgnored)
)


class LateFirst(PlaceOrders):
    async def __call__(self, commands: Sequence[Any], **checked: bool) -> list[Any]:
        outcomes: list[Any] = await super().__call__(commands, **checked)
        late = [expired(command, self.clock.now()) for command in commands]
        return [refusal or outcome for refusal, outcome in zip(late, outcomes, strict=True)]


BUGS["a repeat is refused because the time to pay is over meanwhile"] = Bug(
    breaks=Promise.NOTHING_LEFT, parts=lambda: Parts(place_orders=LateFirst)
)


class LostCommitIsFailure(PlaceOrders):
    async def __call__(self, commands: Sequence[Any], **checked: bool) -> list[Any]:
        try:
            return await super().__call__(commands, **checked)
        except OutcomeUnknown:
            anew = [replace(command, order_id=self.clock.new_id()) for command in commands]
            return await super().__call__(anew, **checked)


BUGS["a lost answer to COMMIT is taken for a failure"] = Bug(
    breaks=Promise.ONCE,
    parts=lambda: Parts(place_orders=LostCommitIsFailure),
    fault=(COMMIT, Fault.ANSWER_LOST),
    flow=main_flow,
)


def neighbours(execute: Callable[..., Any], clock: Any, **options: Any) -> Any:
    async def confused(commands: Sequence[Any]) -> Sequence[Any]:
        return list(reversed(await execute(commands)))

    return GroupCommit(confused, clock)


BUGS["group commit answers with the outcome of a neighbour"] = Bug(
    breaks=Promise.OWN_ANSWER, parts=lambda: Parts(group_commit=neighbours)
)


class OutboxBeside(MemoryOutbox[Any]):
    """Stores events in a separate transaction."""

    async def add(self, events: Sequence[Any]) -> None:
        own = MemoryUnitOfWork(self._uow._database)
        async with own:
            await MemoryOutbox(own, self._clock, self._encode, self._committed).add(events)


BUGS["the outbox is written outside the transaction"] = Bug(
    breaks=Promise.CAPTURED_RIGHT, parts=lambda: Parts(outbox=OutboxBeside)
)


class LenientHistory(MemoryHistory):
    async def add(self, changes: Sequence[Any]) -> None:
        for change in changes:
            for sequence in count(change.sequence):
                row = replace(change, sequence=sequence)
                if await self._uow.transaction.try_insert(ORDER_HISTORY, row):
                    break


class UnchangedRows(SettleOrders):
    async def __call__(self, received: Sequence[Any]) -> list[Unhandled]:
        async with self.uow:
            decisions = [item.fact for item in await self.inbox.claim(received)]
            orders = await self.orders.lock(decisions)
            for decided in decisions:
                if decided.order_id not in orders:
                    raise NotFound("order_not_found", "there is no such order")
                orders[decided.order_id].settle(decided, self.clock.now())
            await self.orders.save(list(orders.values()))
            await self.history.add([order.status_changed() for order in orders.values()])
        return []


BUGS["history is written for unchanged rows"] = Bug(
    breaks=Promise.HISTORY,
    parts=lambda: Parts(inbox=NoInbox, history=LenientHistory, settle_orders=UnchangedRows),
)


class AlwaysNew(MemoryOrders):
    async def lock(self, decided: Sequence[Any]) -> dict[Any, Any]:
        return {id: replace(order, status=Status.NEW) for id, order in (await super().lock(decided)).items()}


BUGS["an order is settled whatever its status, and there is no inbox"] = Bug(
    breaks=Promise.RESTS, parts=lambda: Parts(inbox=NoInbox, orders=AlwaysNew)
)


class GhostsDropped(SettleOrders):
    async def __call__(self, received: Sequence[Any]) -> list[Unhandled]:
        self.parked = Nowhere()
        return await super().__call__(received)


class Nowhere(MemoryParkedMessages):
    def __init__(self) -> None:
        pass

    async def add(self, unhandled: Sequence[Unhandled]) -> None:
        pass


BUGS["a decision about an order that is not there is dropped"] = Bug(
    breaks=Promise.PARKED_ONCE, parts=lambda: Parts(settle_orders=GhostsDropped)
)

BUGS["nobody asks again about what the bus destroyed"] = Bug(breaks=Promise.RESTS, destroying=True)

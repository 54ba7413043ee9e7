from collections.abc import Sequence

from kernel.domain.errors import Contention, Refused
from kernel.ports.clock import Clock
from kernel.ports.outbox import Outbox
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.events import Question
from orders.domain.order import Order, Placed, PlaceOrder, outcome
from orders.ports.admission import Admission
from orders.ports.orders import History, Orders, PlacedOrders


class PlaceOrders:
    """Accepts orders and starts their payment, once per idempotency key; a refused one leaves nothing."""

    def __init__(
        self,
        uow: UnitOfWork,
        orders: Orders,
        history: History,
        placed: PlacedOrders,
        outbox: Outbox[Question],
        admission: Admission,
        clock: Clock,
        currency: str,
    ) -> None:
        self.uow = uow
        self.orders = orders
        self.history = history
        self.placed = placed
        self.outbox = outbox
        self.admission = admission
        self.clock = clock
        self.currency = currency

    async def __call__(
        self, commands: Sequence[PlaceOrder], *, judged: bool = False
    ) -> list[Placed | Refused]:
        """One outcome a command, in order.

        What was `judged` in an attempt whose answer was lost is not judged again: it may have been charged,
        and not yet be visible. Storing it again waits for the lost attempt and finds out.
        """
        verdicts = list(zip(commands, await self._judge(commands, judged), strict=True))
        admitted = [command for command, refusal in verdicts if refusal is None]
        refused = [command for command, refusal in verdicts if refusal is not None]
        # The twin of a refused command may be accepted, and charged, or be about to be: the refusal would be
        # false. Adding waits by itself, so that what is accepted pays nothing.
        known = Known(await self.placed.find_twins(refused) if refused else [])
        await self._add(known.first_of_each_key(admitted), known)
        outcomes: list[Placed | Refused] = []
        for command, refusal in verdicts:
            order = known.order(command)
            if order is not None:
                outcomes.append(outcome(command, order))
            elif refusal is not None:
                outcomes.append(refusal)
        return outcomes

    async def _judge(self, commands: Sequence[PlaceOrder], judged: bool) -> Sequence[Refused | None]:
        return [None] * len(commands) if judged else await self.admission.judge(commands)

    async def _add(self, commands: Sequence[PlaceOrder], known: "Known") -> None:
        """Then each of them is known."""
        try:
            await self._add_new(commands, known)
        except Contention:
            # A key is taken, and nothing was done: to look first would cost every batch a round trip.
            known.add(await self.placed.find(commands))
            await self._add_new(known.first_of_each_key(commands), known)

    async def _add_new(self, commands: Sequence[PlaceOrder], known: "Known") -> None:
        """Raises Contention where one is not new."""
        if not commands:
            return
        now = self.clock.now()
        orders = [Order.place(command, self.currency, now) for command in commands]
        async with self.uow:
            await self.orders.add(orders)
            await self.history.add([order.status_changed() for order in orders])
            await self.outbox.add(
                [
                    order.placed(command.traceparent, command.request_id)
                    for order, command in zip(orders, commands, strict=True)
                ]
            )
        known.add(orders)


class Known:
    """The orders found so far, by id and by idempotency key."""

    def __init__(self, orders: Sequence[Order]) -> None:
        self._by_id: dict[object, Order] = {}
        self._by_key: dict[tuple[str, str], Order] = {}
        self.add(orders)

    def add(self, orders: Sequence[Order]) -> None:
        for order in orders:
            self._by_id[order.id] = order
            if order.idempotency_key is not None:
                self._by_key[order.user_id, order.idempotency_key] = order

    def order(self, command: PlaceOrder) -> Order | None:
        if command.idempotency_key is None:
            return self._by_id.get(command.order_id)
        return self._by_key.get((command.user_id, command.idempotency_key))

    def first_of_each_key(self, commands: Sequence[PlaceOrder]) -> list[PlaceOrder]:
        firsts: dict[object, PlaceOrder] = {}
        for command in commands:
            if self.order(command) is None:
                key = command.idempotency_key
                firsts.setdefault(command.order_id if key is None else (command.user_id, key), command)
        return list(firsts.values())

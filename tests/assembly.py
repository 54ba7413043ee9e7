"""The use cases of a service over adapters in memory, assembled as its `wiring.py` does it over real ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kernel.adapters.lanes.consuming import ConsumerOfLanes
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.group_commit import GroupCommit
from kernel.application.relay import PublishCommitted, RelayEvents
from kernel.domain.caller import ANYONE
from kernel.domain.events import Unhandled
from kernel.ports.clock import Clock
from kernel.ports.outbox import OutboxRow
from orders import wire as orders_wire
from orders.application.ask_again import AskAgain
from orders.application.cancel_orders import CancelOrders
from orders.application.place_orders import PlaceOrders
from orders.application.settle_orders import SettleOrders
from orders.domain.order import OrderStatusChanged
from payments import wire as payments_wire
from payments.application.admit_orders import AdmitOrders
from payments.application.charge_orders import ChargeOrders
from payments.application.correct_accounts import CorrectAccounts
from payments.application.freeze_accounts import FreezeAccounts
from payments.application.make_deposits import MakeDeposits
from payments.application.open_accounts import OpenAccounts
from tests.memory.database import MemoryDatabase
from tests.memory.inbox import MemoryInbox
from tests.memory.operator_record import MemoryOperatorRecord
from tests.memory.orders import MemoryHistory, MemoryOrders, MemoryPlacedOrders
from tests.memory.outbox import MemoryBacklog, MemoryOutbox
from tests.memory.parked import MemoryParkedMessages
from tests.memory.payments import MemoryAccounts, MemoryLedger, MemoryOpenedAccounts, MemoryPayments
from tests.memory.unit_of_work import MemoryUnitOfWork

CURRENCY = "RUB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a shop that a planted bug may replace."""

    inbox: Callable[..., Any] = MemoryInbox
    record: Callable[..., Any] = MemoryOperatorRecord
    outbox: Callable[..., Any] = MemoryOutbox
    publish_committed: Callable[..., Any] = PublishCommitted
    relay_events: Callable[..., Any] = RelayEvents
    group_commit: Callable[..., Any] = GroupCommit
    consumer: Callable[..., Any] = Consumer
    consumer_of_lanes: Callable[..., Any] = ConsumerOfLanes
    orders: Callable[..., Any] = MemoryOrders
    history: Callable[..., Any] = MemoryHistory
    place_orders: Callable[..., Any] = PlaceOrders
    cancel_orders: Callable[..., Any] = CancelOrders
    settle_orders: Callable[..., Any] = SettleOrders
    accounts: Callable[..., Any] = MemoryAccounts
    ledger: Callable[..., Any] = MemoryLedger
    payments: Callable[..., Any] = MemoryPayments
    charge_orders: Callable[..., Any] = ChargeOrders
    make_deposits: Callable[..., Any] = MakeDeposits
    correct_accounts: Callable[..., Any] = CorrectAccounts
    decode_orders_facts: Callable[..., Any] = orders_wire.decode
    decode_payments_facts: Callable[..., Any] = payments_wire.decode


class InMemory:
    """Assembles the use cases of a service; each call gets a use case and a unit of work of its own.

    Reads see `readable`. The simulation wraps each adapter in `port`, and has units of work that fail.
    """

    encode: Callable[..., Any]

    def __init__(
        self,
        database: MemoryDatabase,
        clock: Clock,
        committed: Callable[[OutboxRow], None] = lambda _: None,
        parts: Parts | None = None,
    ) -> None:
        self.database = self.readable = database
        self.clock = clock
        self.committed = committed
        self.parts = parts or Parts()

    def port(self, name: str, adapter: Any, uow: Any = None) -> Any:
        return adapter

    def uow(self) -> Any:
        return MemoryUnitOfWork(self.database)

    def inbox(self, uow: Any) -> Any:
        return self.port("inbox", self.parts.inbox(uow, self.clock), uow)

    def parked(self, uow: Any) -> Any:
        return self.port("parked", MemoryParkedMessages(uow, self.clock), uow)

    def outbox(self, uow: Any) -> Any:
        return self.port("outbox", self.parts.outbox(uow, self.clock, self.encode, self.committed), uow)

    def backlog(self, uow: Any) -> Any:
        return self.port("backlog", MemoryBacklog(uow), uow)

    def record(self, uow: Any) -> Any:
        return self.port("record", self.parts.record(uow), uow)

    async def park(self, unhandled: Unhandled) -> None:
        uow = self.uow()
        await ParkMessage(uow, self.inbox(uow), self.parked(uow))(unhandled)


class OrdersInMemory(InMemory):
    """`admission` speaks for payments; `notify` speaks to whoever listens."""

    encode = staticmethod(orders_wire.encode)
    admission: Any
    pay_within: timedelta | None = None

    def notify(self, changes: Sequence[OrderStatusChanged]) -> None:
        """Nobody listens."""

    def orders(self, uow: Any) -> Any:
        return self.port("orders", self.parts.orders(uow), uow)

    def history(self, uow: Any) -> Any:
        return self.port("history", self.parts.history(uow), uow)

    def placed(self) -> Any:
        return self.port("placed", MemoryPlacedOrders(self.readable))

    async def place_orders(self, commands: Sequence[Any], **options: Any) -> Any:
        uow = self.uow()
        place_orders = self.parts.place_orders(
            uow,
            self.orders(uow),
            self.history(uow),
            self.placed(),
            self.outbox(uow),
            self.record(uow),
            self.admission,
            self.clock,
            CURRENCY,
            self.pay_within,
        )
        return await place_orders(commands, **options)

    async def cancel_orders(self, commands: Sequence[Any]) -> Any:
        uow = self.uow()
        cancel_orders = self.parts.cancel_orders(
            uow,
            self.orders(uow),
            self.history(uow),
            self.outbox(uow),
            self.record(uow),
            self.notify,
            self.clock,
        )
        return await cancel_orders(commands)

    async def settle_orders(self, received: Sequence[Any]) -> list[Unhandled]:
        uow = self.uow()
        settle_orders = self.parts.settle_orders(
            uow,
            self.inbox(uow),
            self.parked(uow),
            self.orders(uow),
            self.history(uow),
            self.notify,
            self.clock,
        )
        return list(await settle_orders(received))

    async def ask_again(self) -> bool:
        uow = self.uow()
        return await AskAgain(
            uow, self.orders(uow), self.request_outbox(uow), self.backlog(uow), self.clock
        )()

    def request_outbox(self, uow: Any) -> Any:
        """The outbox of what is asked again; the simulation counts it."""
        return self.outbox(uow)


class PaymentsInMemory(InMemory):
    encode = staticmethod(payments_wire.encode)

    def accounts(self, uow: Any) -> Any:
        return self.port("accounts", self.parts.accounts(uow), uow)

    def ledger(self, uow: Any) -> Any:
        return self.port("ledger", self.parts.ledger(uow), uow)

    def payments(self, uow: Any) -> Any:
        return self.port("payments", self.parts.payments(uow), uow)

    def opened(self) -> Any:
        return self.port("opened", MemoryOpenedAccounts(self.database))

    async def admit_orders(self, orders: Sequence[tuple[str, int]]) -> Any:
        return await AdmitOrders(self.opened())(ANYONE, orders)

    async def open_accounts(self, commands: Sequence[Any]) -> Any:
        uow = self.uow()
        return await OpenAccounts(uow, self.accounts(uow), self.record(uow), self.clock, CURRENCY)(commands)

    async def make_deposits(self, commands: Sequence[Any]) -> Any:
        uow = self.uow()
        make_deposits = self.parts.make_deposits(
            uow, self.accounts(uow), self.ledger(uow), self.record(uow), self.clock, by_users=True
        )
        return await make_deposits(commands)

    async def freeze_accounts(self, commands: Sequence[Any]) -> Any:
        uow = self.uow()
        return await FreezeAccounts(uow, self.accounts(uow), self.record(uow), self.clock)(commands)

    async def correct_accounts(self, commands: Sequence[Any]) -> Any:
        uow = self.uow()
        accounts, ledger, record = self.accounts(uow), self.ledger(uow), self.record(uow)
        return await self.parts.correct_accounts(uow, accounts, ledger, record, self.clock)(commands)

    async def charge_orders(self, received: Sequence[Any]) -> list[Unhandled]:
        uow = self.uow()
        charge_orders = self.parts.charge_orders(
            uow,
            self.inbox(uow),
            self.parked(uow),
            self.accounts(uow),
            self.ledger(uow),
            self.payments(uow),
            self.outbox(uow),
            self.clock,
        )
        return list(await charge_orders(received))

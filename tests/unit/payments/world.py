"""The use cases of payments over adapters in memory, made anew for each call as wiring does it."""

import asyncio
from datetime import datetime
from typing import Any

from kernel.domain.caller import ANYONE
from kernel.domain.errors import ShopError
from kernel.domain.events import MessageId, Received, Unhandled
from kernel.ports.outbox import OutboxRow
from payments.domain.account import Account, Deposited, Opened
from payments.domain.commands import CorrectAccount, Deposit, FreezeAccount, OpenAccount
from payments.domain.events import CancellationRequested, OrderPlaced, PaymentRequest
from payments.domain.payment import Payment
from payments.domain.transfer import Transfer
from tests.assembly import PaymentsInMemory
from tests.builders import TRACE
from tests.memory.clock import MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.payments import ACCOUNTS, PAYMENTS, TRANSFERS
from tests.unit.clock import id_of
from tests.unit.waiting import waiting_in


class _InTurns:
    """A port whose every call lets others have their turn first, as one that asks a database does."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        async def call(*given: Any, **named: Any) -> Any:
            await asyncio.sleep(0)
            return await getattr(self._adapter, name)(*given, **named)

        return call


class _PaymentsInTurns(PaymentsInMemory):
    def port(self, name: str, adapter: Any, uow: Any = None) -> Any:
        return _InTurns(adapter)


class PaymentsWorld:
    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.clock = MemoryClock()
        self.committed: list[OutboxRow] = []
        self.service = _PaymentsInTurns(self.database, self.clock, self.committed.append)

    async def open(self, *commands: OpenAccount) -> list[Opened | ShopError]:
        return await self.service.open_accounts(commands)

    async def deposit(self, *commands: Deposit) -> list[Deposited | ShopError]:
        return await self.service.make_deposits(commands)

    async def freeze(self, *commands: FreezeAccount) -> list[Account | ShopError]:
        return await self.service.freeze_accounts(commands)

    async def correct(self, *commands: CorrectAccount) -> list[Deposited | ShopError]:
        return await self.service.correct_accounts(commands)

    async def charge(self, *requests: PaymentRequest, first_message: int = 1) -> list[Unhandled]:
        return await self.service.charge_orders(
            [
                Received(MessageId("/shop/orders", str(number)), "", request, b"", again=True)
                for number, request in enumerate(requests, first_message)
            ]
        )

    async def admit(self, *orders: tuple[str, int]) -> list[str | None]:
        return await self.service.admit_orders(orders)

    def balances(self) -> dict[str, int]:
        return {account.user_id: account.balance for account in self.database.rows(ACCOUNTS)}

    def transfers(self) -> list[Transfer]:
        return sorted(self.database.rows(TRANSFERS), key=lambda row: (row.user_id, row.sequence))

    def payments(self) -> list[Payment]:
        return sorted(self.database.rows(PAYMENTS), key=lambda row: (row.user_id, row.order_id))

    def outbox(self) -> list[dict[str, Any]]:
        return waiting_in(self.database)

    def hold_together(self) -> bool:
        """Each balance is the sum of its transfers and the last `balance_after`; no number is missing."""
        for account in self.database.rows(ACCOUNTS):
            running, numbers = 0, []
            for transfer in (t for t in self.transfers() if t.user_id == account.user_id):
                own = f"user:{account.user_id}"
                running += transfer.amount if transfer.credit_account == own else -transfer.amount
                numbers.append(transfer.sequence)
                if running != transfer.balance_after or running < 0:
                    return False
            if (account.balance, list(range(1, account.sequence + 1))) != (running, numbers):
                return False
        return True


async def world_of(**balances: int) -> PaymentsWorld:
    """A world with an account for each of these users."""
    world = PaymentsWorld()
    for number, (user_id, balance) in enumerate(balances.items()):
        await world.open(opening(9000 + number, user_id=user_id))
        if balance:
            await world.deposit(deposit(9100 + number, user_id=user_id, amount=balance))
    return world


def opening(number: int, *, user_id: str = "alice", key: str | None = None) -> OpenAccount:
    return OpenAccount(account_id=id_of(number), caller=ANYONE, user_id=user_id, idempotency_key=key)


def deposit(number: int, *, user_id: str = "alice", amount: int = 1000, key: str | None = None) -> Deposit:
    return Deposit(
        transfer_id=id_of(number), caller=ANYONE, user_id=user_id, amount=amount, idempotency_key=key
    )


def order(
    number: int,
    *,
    user_id: str = "alice",
    amount: int = 1000,
    currency: str = "RUB",
    pay_by: datetime | None = None,
) -> OrderPlaced:
    return OrderPlaced(
        order_id=id_of(number),
        user_id=user_id,
        traceparent=TRACE,
        amount=amount,
        currency=currency,
        pay_by=pay_by,
    )


def cancellation(number: int, *, user_id: str = "alice") -> CancellationRequested:
    return CancellationRequested(order_id=id_of(number), user_id=user_id, traceparent=TRACE)

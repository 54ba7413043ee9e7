from collections.abc import Sequence

from kernel.domain.events import Received
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.outbox import Outbox
from kernel.ports.unit_of_work import UnitOfWork
from payments.domain.account import OrderPlaced, PaymentDecided, decide
from payments.ports.accounts import Accounts, Ledger, Payments


class ChargeOrders:
    """Orders were placed: each is paid from its user's account, or declined, once and for ever."""

    def __init__(
        self,
        uow: UnitOfWork,
        inbox: Inbox,
        accounts: Accounts,
        ledger: Ledger,
        payments: Payments,
        outbox: Outbox[PaymentDecided],
        clock: Clock,
    ) -> None:
        self.uow = uow
        self.inbox = inbox
        self.accounts = accounts
        self.ledger = ledger
        self.payments = payments
        self.outbox = outbox
        self.clock = clock

    async def __call__(self, received: Sequence[Received[OrderPlaced]]) -> None:
        async with self.uow:
            orders = await self.inbox.claim(received)
            accounts = await self.accounts.lock({placed.user_id for placed in orders})
            # Only now: a decision that was made while this waited for the lock must be seen.
            recorded = {(p.user_id, p.order_id): p for p in await self.payments.recorded(orders)}
            now = self.clock.now()
            payments, transfers, answers = [], [], []
            for placed in orders:
                key = (placed.user_id, placed.order_id)
                if key not in recorded:
                    account = accounts.get(placed.user_id)
                    recorded[key], transfer = decide(placed, account, self.clock.new_id(), now)
                    payments.append(recorded[key])
                    transfers += [transfer] if transfer else []
                answers.append(recorded[key].decided(placed.traceparent))
            charged = {transfer.user_id for transfer in transfers}
            await self.accounts.save([accounts[user_id] for user_id in charged])
            await self.ledger.add(transfers)
            await self.payments.add(payments)
            await self.outbox.add(answers)

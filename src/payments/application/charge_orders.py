from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.domain.errors import Refused
from kernel.domain.events import Received, Unhandled
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.outbox import Outbox
from kernel.ports.parked import ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork
from payments.domain.account import Account
from payments.domain.events import CancellationRequested, PaymentRequest, PaymentResult
from payments.domain.payment import Decision, Payment, decide
from payments.domain.transfer import Kind, Transfer
from payments.ports.accounts import Accounts, Ledger, Payments


@dataclass
class ChargeOrders:
    """Decides each order once: captured, declined or voided. Refunds a captured order once if cancelled."""

    uow: UnitOfWork
    inbox: Inbox
    parked: ParkedMessages
    accounts: Accounts
    ledger: Ledger
    payments: Payments
    outbox: Outbox[PaymentResult]
    clock: Clock

    async def __call__(self, received: Sequence[Received[PaymentRequest]]) -> list[Unhandled]:
        """Answers the requests. Parks and returns requests whose refund would exceed the balance limit, and
        requests that name another user than the decision about their order."""
        async with self.uow:
            fresh = await self.inbox.claim(received)
            requests = [item.fact for item in fresh]
            accounts = await self.accounts.lock({request.user_id for request in requests})
            # Read after the lock, so that decisions made during the wait for the lock are seen.
            recorded = await self.payments.recorded(requests)
            captured = [payment for payment in recorded if payment.decision is Decision.CAPTURED]
            batch = ChargeBatch(accounts, recorded, await self.ledger.of_orders(captured) if captured else [])
            now = self.clock.now()
            answers: list[PaymentResult] = []
            unhandled = []
            for item in fresh:
                answer = batch.answer(item.fact, self.clock.new_id(), now)
                if isinstance(answer, Refused):
                    unhandled.append(item.unhandled(answer.code, answer.detail))
                else:
                    answers.append(answer)
            if unhandled:
                await self.parked.add(unhandled)
            await self.accounts.save([accounts[user_id] for user_id in batch.changed])
            await self.ledger.add(batch.transfers)
            await self.payments.add(batch.payments)
            await self.outbox.add(answers)
        return unhandled


class ChargeBatch:
    """The decisions and transfers of a batch's orders. `payments` and `transfers` are the new ones."""

    def __init__(
        self, accounts: Mapping[str, Account], recorded: Sequence[Payment], booked: Sequence[Transfer]
    ) -> None:
        self.payments: list[Payment] = []
        self.transfers: list[Transfer] = []
        self._accounts = accounts
        self._recorded = {payment.order_id: payment for payment in recorded}
        self._booked = {_key(transfer): transfer for transfer in booked}

    @property
    def changed(self) -> set[str]:
        return {transfer.user_id for transfer in self.transfers}

    def answer(self, request: PaymentRequest, transfer_id: UUID, now: datetime) -> PaymentResult | Refused:
        """Decides or refunds the order if that is still to be done, and returns the answer. Refused, without
        effect, if a refund would exceed the balance limit, or if the decision names another user."""
        order = request.user_id, request.order_id
        recorded = self._recorded.get(request.order_id)
        if recorded is None:
            recorded, capture = decide(request, self._accounts.get(request.user_id), transfer_id, now)
            self._recorded[request.order_id] = recorded
            self.payments.append(recorded)
            if capture is not None:
                self._book(capture)
        elif recorded.user_id != request.user_id:
            return Refused("user_differs", f"the order was decided for the user {recorded.user_id}")
        elif isinstance(request, CancellationRequested):
            refusal = self._refund(order, transfer_id, now)
            if refusal is not None:
                return refusal
        return recorded.decided(request, refunded=(*order, Kind.REFUND) in self._booked)

    def _refund(self, order: tuple[str, UUID], transfer_id: UUID, now: datetime) -> Refused | None:
        capture = self._booked.get((*order, Kind.CAPTURE))
        if capture is None or (*order, Kind.REFUND) in self._booked:
            return None
        refund = self._accounts[capture.user_id].refund(capture, transfer_id, now)
        if isinstance(refund, Refused):
            return refund
        self._book(refund)
        return None

    def _book(self, transfer: Transfer) -> None:
        self.transfers.append(transfer)
        self._booked[_key(transfer)] = transfer


def _key(transfer: Transfer) -> tuple[str, UUID | None, Kind]:
    return transfer.user_id, transfer.order_id, transfer.kind

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
    """Every order is paid, declined or voided, for ever; what a cancelled one paid goes back, once."""

    uow: UnitOfWork
    inbox: Inbox
    parked: ParkedMessages
    accounts: Accounts
    ledger: Ledger
    payments: Payments
    outbox: Outbox[PaymentResult]
    clock: Clock

    async def __call__(self, received: Sequence[Received[PaymentRequest]]) -> list[Unhandled]:
        """Answers the requests. Parks, and returns, those whose refund the account cannot hold."""
        async with self.uow:
            fresh = await self.inbox.claim(received)
            requests = [item.fact for item in fresh]
            accounts = await self.accounts.lock({request.user_id for request in requests})
            # Only now: a decision that was made while this waited for the lock must be seen.
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
    """The orders of a batch: what was decided and booked before, and in `payments` and `transfers` what the
    batch adds."""

    def __init__(
        self, accounts: Mapping[str, Account], recorded: Sequence[Payment], booked: Sequence[Transfer]
    ) -> None:
        self.payments: list[Payment] = []
        self.transfers: list[Transfer] = []
        self._accounts = accounts
        self._recorded = {(payment.user_id, payment.order_id): payment for payment in recorded}
        self._booked = {_key(transfer): transfer for transfer in booked}

    @property
    def changed(self) -> set[str]:
        return {transfer.user_id for transfer in self.transfers}

    def answer(self, request: PaymentRequest, transfer_id: UUID, now: datetime) -> PaymentResult | Refused:
        """Decides what nobody has decided. A refund that the account cannot hold is Refused, and nothing is
        done."""
        order = request.user_id, request.order_id
        if order not in self._recorded:
            payment, capture = decide(request, self._accounts.get(request.user_id), transfer_id, now)
            self._recorded[order] = payment
            self.payments.append(payment)
            if capture is not None:
                self._book(capture)
        elif isinstance(request, CancellationRequested):
            refusal = self._refund(order, transfer_id, now)
            if refusal is not None:
                return refusal
        refunded = (*order, Kind.REFUND) in self._booked
        return self._recorded[order].decided(request, refunded=refunded)

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

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.application.read_apart import read_apart
from kernel.domain.caller import Caller
from kernel.domain.facts import Fact, Part, What
from kernel.domain.money import in_units
from kernel.ports.facts import MessagingFacts
from payments.domain.payment import Payment
from payments.domain.transfer import Transfer
from payments.ports.accounts import Decisions, OpenedAccounts

SERVICE = "payments"


@dataclass
class ExplainPayment:
    """Collects all facts that payments has stored about an order."""

    decisions: Decisions
    accounts: OpenedAccounts
    messaging: MessagingFacts

    async def __call__(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        """`user_id` is the order's user, if known. Raises Forbidden, and Unavailable if all reads fail."""
        caller.require_to_see_all()
        decided = asyncio.ensure_future(self._decided(order_id, user_id))
        return await read_apart(
            payments=decided,
            accounts=self._account(decided, user_id),
            messages=self.messaging.about(order_id),
        )

    async def _decided(self, order_id: UUID, user_id: str | None) -> Part:
        payment, transfers = await self.decisions.about(order_id)
        return Part(facts=facts_of(payment, transfers), user_id=payment.user_id if payment else user_id)

    async def _account(self, decided: Awaitable[Part], user_id: str | None) -> Part:
        """Tells whether the account is frozen. If `user_id` is None, the decision names the user."""
        owner = user_id or (await decided).user_id
        account = (await self.accounts.find({owner})).get(owner) if owner is not None else None
        if account is None or account.frozen_at is None:
            return Part()
        return Part(facts=[_fact(What.FROZEN, "accounts", account.frozen_at)])


def facts_of(payment: Payment | None, transfers: Sequence[Transfer]) -> list[Fact]:
    facts = []
    if payment is not None:
        decision = ": ".join(filter(None, (payment.decision, payment.reason)))
        facts.append(_fact(What.DECIDED, "payments", payment.created_at, decision))
    for transfer in transfers:
        detail = (
            f"{transfer.kind} {in_units(transfer.change)}, transfer {transfer.sequence} of {transfer.user_id}"
        )
        facts.append(_fact(What.TRANSFER, "transfers", transfer.created_at, detail))
    return facts


def _fact(what: What, source: str, at: datetime, detail: str = "") -> Fact:
    return Fact(at=at, service=SERVICE, what=what, source=source, detail=detail)

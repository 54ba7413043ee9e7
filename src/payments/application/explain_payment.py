from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.facts import Fact, Part, What
from kernel.domain.money import in_units
from kernel.ports.facts import MessagingFacts
from payments.domain.account import Account, Transfer
from payments.domain.payment import Payment
from payments.ports.accounts import Decisions, OpenedAccounts

SERVICE = "payments"


@dataclass
class ExplainPayment:
    """All that payments has stored about an order."""

    decisions: Decisions
    accounts: OpenedAccounts
    messaging: MessagingFacts

    async def __call__(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        """`user_id` is the order's; without it the search takes longer. Raises Forbidden."""
        caller.require_to_see_all()
        payment, transfers = await self.decisions.about(order_id, user_id=user_id)
        facts = list(await self.messaging.about(order_id))
        owner = payment.user_id if payment else user_id
        account = (await self.accounts.find({owner})).get(owner) if owner is not None else None
        return Part(facts=[*facts_of(payment, transfers, account), *facts], user_id=owner)


def facts_of(payment: Payment | None, transfers: Sequence[Transfer], account: Account | None) -> list[Fact]:
    facts = []
    if payment is not None:
        decision = ": ".join(filter(None, (payment.decision, payment.reason)))
        facts.append(_fact(What.DECIDED, "payments", payment.created_at, decision))
    for transfer in transfers:
        detail = (
            f"{transfer.kind} {in_units(transfer.change)}, transfer {transfer.sequence} of {transfer.user_id}"
        )
        facts.append(_fact(What.TRANSFER, "transfers", transfer.created_at, detail))
    if account is not None and account.frozen_at is not None:
        facts.append(_fact(What.FROZEN, "accounts", account.frozen_at))
    return facts


def _fact(what: What, source: str, at: datetime, detail: str = "") -> Fact:
    return Fact(at=at, service=SERVICE, what=what, source=source, detail=detail)

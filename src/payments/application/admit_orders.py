from collections.abc import Sequence
from dataclasses import dataclass

from kernel.domain.caller import Caller
from payments.domain.account import reason_not_to_charge
from payments.ports.accounts import OpenedAccounts


@dataclass
class AdmitOrders:
    """Says whether orders could be paid now, each checked alone; reserves nothing."""

    accounts: OpenedAccounts

    async def __call__(self, caller: Caller, orders: Sequence[tuple[str, int]]) -> list[str | None]:
        """For each user and amount the `Reason` against it. Raises Forbidden unless a service calls."""
        caller.require_service()
        standings = await self.accounts.standings({user_id for user_id, _ in orders})
        return [reason_not_to_charge(amount, standings.get(user_id)) for user_id, amount in orders]

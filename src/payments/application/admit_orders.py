from collections.abc import Sequence
from dataclasses import dataclass

from kernel.domain.caller import Caller
from payments.domain.account import reason_not_to_charge
from payments.ports.accounts import OpenedAccounts


@dataclass
class AdmitOrders:
    """Tells whether orders could be paid now. Each order is checked alone, and no money is reserved."""

    accounts: OpenedAccounts

    async def __call__(self, caller: Caller, orders: Sequence[tuple[str, int]]) -> list[str | None]:
        """For each order, the `Reason` to refuse it, or None. Raises Forbidden unless a service calls."""
        caller.require_service()
        standings = await self.accounts.standings({user_id for user_id, _ in orders})
        return [reason_not_to_charge(amount, standings.get(user_id)) for user_id, amount in orders]

from collections.abc import Sequence

from payments.ports.accounts import OpenedAccounts


class AdmitOrders:
    """Says whether orders could be paid now, each judged alone; reserves nothing."""

    def __init__(self, accounts: OpenedAccounts) -> None:
        self.accounts = accounts

    async def __call__(self, orders: Sequence[tuple[str, int]]) -> list[str | None]:
        """For each user and amount the reason against it, `account_not_found` or `insufficient_funds`."""
        balances = await self.accounts.balances({user_id for user_id, _ in orders})
        return [
            "account_not_found"
            if user_id not in balances
            else "insufficient_funds"
            if balances[user_id] < amount
            else None
            for user_id, amount in orders
        ]

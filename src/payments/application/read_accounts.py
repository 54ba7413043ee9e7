from collections.abc import Sequence

from kernel.domain.caller import Caller
from payments.domain.account import Account, Transfer, no_account
from payments.ports.accounts import OpenedAccounts, Statements


class ReadAccounts:
    """What callers may see of accounts. Another's account does not exist, and is not even looked for."""

    def __init__(self, accounts: OpenedAccounts, statements: Statements) -> None:
        self.accounts = accounts
        self.statements = statements

    async def get(self, caller: Caller, user_id: str) -> Account:
        """Raises NotFound."""
        found = await self.accounts.find({user_id}) if caller.may_see(user_id) else {}
        if user_id not in found:
            raise no_account(user_id)
        return found[user_id]

    async def transactions(
        self, caller: Caller, user_id: str, *, after: int | None, limit: int
    ) -> Sequence[Transfer]:
        """The statement, newest first. Raises NotFound."""
        if not caller.may_see(user_id):
            raise no_account(user_id)
        transfers = await self.statements.page(user_id, after=after, limit=limit)
        if not transfers:
            await self.get(caller, user_id)
        return transfers

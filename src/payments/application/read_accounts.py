from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kernel.domain.caller import Caller
from kernel.domain.errors import Invalid
from kernel.ports.clock import Clock
from payments.domain.account import Account, no_account
from payments.domain.transfer import Transfer
from payments.ports.accounts import OpenedAccounts, Statements


@dataclass
class ReadAccounts:
    """Reads accounts for callers. For another user's account raises NotFound, without a look-up."""

    accounts: OpenedAccounts
    statements: Statements
    clock: Clock

    async def get(self, caller: Caller, user_id: str) -> Account:
        """The account with its present balance. Raises NotFound."""
        found = await self.accounts.find({user_id}) if caller.may_see(user_id) else {}
        if user_id not in found:
            raise no_account(user_id)
        return found[user_id]

    async def get_at(self, caller: Caller, user_id: str, at: datetime) -> Account:
        """The account with its balance at the time `at`. Raises NotFound if there was no account then, and
        Invalid if `at` is in the future."""
        if at > self.clock.now():
            raise Invalid.field("at", "must not be in the future")
        account = await self.get(caller, user_id)
        if at < account.created_at:
            raise no_account(user_id)
        return replace(account, balance=await self.statements.balance(account, at))

    async def transactions(
        self, caller: Caller, user_id: str, *, after: int | None, limit: int
    ) -> Sequence[Transfer]:
        """A page of the statement, newest first. Raises NotFound."""
        if not caller.may_see(user_id):
            raise no_account(user_id)
        transfers = await self.statements.page(user_id, after=after, limit=limit)
        if not transfers:
            await self.get(caller, user_id)
        return transfers

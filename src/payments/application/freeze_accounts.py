from collections.abc import Sequence
from dataclasses import dataclass

from kernel.domain.acts import acts_of_operators
from kernel.domain.errors import ShopError
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.unit_of_work import UnitOfWork
from payments.domain.account import Account, no_account
from payments.domain.commands import FreezeAccount
from payments.ports.accounts import Accounts


@dataclass
class FreezeAccounts:
    """Freezes or unfreezes an account for an operator. An account in that state already stays unchanged."""

    uow: UnitOfWork
    accounts: Accounts
    record: OperatorRecord
    clock: Clock

    async def __call__(self, commands: Sequence[FreezeAccount]) -> list[Account | ShopError]:
        """Takes exactly one command, and returns its outcome. Raises Forbidden unless an operator calls."""
        (command,) = commands
        command.caller.require_operator()
        async with self.uow:
            account = (await self.accounts.lock({command.user_id})).get(command.user_id)
            if account is None:
                return [no_account(command.user_id)]
            now = self.clock.now()
            if account.freeze(command, now):
                await self.accounts.save_frozen(account)
                did = "freeze_account" if command.frozen else "unfreeze_account"
                done = [(command, command.command_id)]
                await self.record.add(acts_of_operators(did, done, now, lambda one: one.note))
        return [account]

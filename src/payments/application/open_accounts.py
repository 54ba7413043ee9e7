from collections.abc import Sequence
from dataclasses import dataclass

from kernel.application.ownership import for_own_users
from kernel.domain.acts import acts_of_operators
from kernel.domain.errors import Conflict, ShopError
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.unit_of_work import UnitOfWork
from payments.domain.account import Account, Opened
from payments.domain.commands import OpenAccount
from payments.ports.accounts import Accounts


@dataclass
class OpenAccounts:
    """Opens accounts, at most one for each user."""

    uow: UnitOfWork
    accounts: Accounts
    record: OperatorRecord
    clock: Clock
    currency: str

    async def __call__(self, commands: Sequence[OpenAccount]) -> list[Opened | ShopError]:
        """One outcome for each command, in the same order."""
        return await for_own_users(commands, self._open)

    async def _open(self, commands: Sequence[OpenAccount]) -> list[Opened | ShopError]:
        firsts: dict[str, OpenAccount] = {}
        for command in commands:
            firsts.setdefault(command.user_id, command)
        now = self.clock.now()
        async with self.uow:
            accounts = await self.accounts.add(
                [Account.open(command, self.currency, now) for command in firsts.values()]
            )
            opened = [c for c in firsts.values() if accounts[c.user_id].id == c.account_id]
            done = ((command, command.account_id) for command in opened)
            await self.record.add(acts_of_operators("open_account", done, now))
        return [_outcome(command, accounts[command.user_id]) for command in commands]


def _outcome(command: OpenAccount, account: Account) -> Opened | ShopError:
    if account.id == command.account_id:
        return Opened(account, replayed=False)
    if command.idempotency_key is not None and account.idempotency_key == command.idempotency_key:
        return Opened(account, replayed=True)
    return Conflict("account_exists", f"the user {command.user_id} has an account")

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.domain.acts import Act, acts_of_operators
from kernel.domain.errors import Refused, ShopError
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.unit_of_work import UnitOfWork
from payments.domain.account import Account, Deposited, no_account
from payments.domain.commands import CorrectAccount
from payments.domain.transfer import Transfer
from payments.ports.accounts import Accounts, Ledger

CORRECTED = "correct_account"


@dataclass
class CorrectAccounts:
    """Books an operator's correction against the account of corrections, once for each idempotency key."""

    uow: UnitOfWork
    accounts: Accounts
    ledger: Ledger
    record: OperatorRecord
    clock: Clock

    async def __call__(self, commands: Sequence[CorrectAccount]) -> list[Deposited | ShopError]:
        """Takes exactly one command, and returns its outcome. Raises Forbidden unless an operator calls."""
        (command,) = commands
        command.caller.require_operator()
        async with self.uow:
            account = (await self.accounts.lock({command.user_id})).get(command.user_id)
            if account is None:
                return [no_account(command.user_id)]
            if booked := await self.ledger.booked(commands):
                act = await self.record.of(command.user_id, booked[0].id, CORRECTED)
                return [_replayed(command, account, booked[0], act)]
            now = self.clock.now()
            transfer = account.correct(command, now)
            if isinstance(transfer, Refused):
                return [transfer]
            await self.accounts.save([account])
            await self.ledger.add([transfer])
            done = [(command, command.transfer_id)]
            await self.record.add(acts_of_operators(CORRECTED, done, now, lambda one: one.note))
        return [Deposited(account, transfer, replayed=False)]


def _replayed(
    command: CorrectAccount, account: Account, earlier: Transfer, act: Act | None
) -> Deposited | Refused:
    if earlier.change != command.amount or (act is not None and act.note != command.note):
        return Refused("idempotency_key_reused", "this idempotency key belongs to another correction")
    return Deposited(account, earlier, replayed=earlier.id != command.transfer_id)

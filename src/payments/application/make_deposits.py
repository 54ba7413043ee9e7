from collections.abc import Sequence
from dataclasses import dataclass

from kernel.application.ownership import for_own_users
from kernel.domain.acts import acts_of_operators
from kernel.domain.caller import Role
from kernel.domain.errors import Forbidden, Refused, ShopError
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.unit_of_work import UnitOfWork
from payments.domain.account import Account, Deposited, no_account
from payments.domain.commands import Deposit
from payments.domain.transfer import Transfer
from payments.ports.accounts import Accounts, Ledger


@dataclass
class MakeDeposits:
    """Books deposits, once for each idempotency key."""

    uow: UnitOfWork
    accounts: Accounts
    ledger: Ledger
    record: OperatorRecord
    clock: Clock
    by_users: bool
    """Whether users may deposit to their own accounts, as in a demo. If False, only operators may deposit."""

    async def __call__(self, commands: Sequence[Deposit]) -> list[Deposited | ShopError]:
        """One outcome for each command, in the same order."""
        return await for_own_users(commands, self._deposit_all, self._refusal)

    def _refusal(self, command: Deposit) -> ShopError:
        """The error for a deposit to another user's account. To a user, that account seems not to exist."""
        return no_account(command.user_id) if command.caller.role is Role.USER else Forbidden()

    async def _deposit_all(self, commands: Sequence[Deposit]) -> list[Deposited | ShopError]:
        async with self.uow:
            accounts = await self.accounts.lock({command.user_id for command in commands})
            batch = DepositBatch(await self.ledger.booked(commands))
            outcomes = [self._deposit(command, accounts.get(command.user_id), batch) for command in commands]
            await self.accounts.save([accounts[user_id] for user_id in batch.changed])
            await self.ledger.add(batch.new)
            done = [
                (command, command.transfer_id)
                for command, outcome in zip(commands, outcomes, strict=True)
                if isinstance(outcome, Deposited) and not outcome.replayed
            ]
            await self.record.add(acts_of_operators("deposit", done, self.clock.now()))
        return outcomes

    def _deposit(
        self, command: Deposit, account: Account | None, batch: "DepositBatch"
    ) -> Deposited | ShopError:
        if command.caller.role is Role.USER and not self.by_users:
            return Forbidden()
        if account is None:
            return no_account(command.user_id)
        earlier = batch.transfer(command)
        if earlier is None:
            transfer = account.deposit(command, self.clock.now())
            if isinstance(transfer, Refused):
                return transfer
            batch.add(transfer)
            return Deposited(account, transfer, replayed=False)
        if earlier.amount != command.amount:
            return Refused("idempotency_key_reused", "this idempotency key belongs to another deposit")
        return Deposited(account, earlier, replayed=earlier.id != command.transfer_id)


class DepositBatch:
    """The deposits of earlier calls and of this batch, by id and by key. `new` has only this batch's."""

    def __init__(self, earlier: Sequence[Transfer]) -> None:
        self.new: list[Transfer] = []
        self._known: dict[object, Transfer] = {}
        for transfer in earlier:
            self._know(transfer)

    @property
    def changed(self) -> set[str]:
        return {transfer.user_id for transfer in self.new}

    def add(self, transfer: Transfer) -> None:
        self.new.append(transfer)
        self._know(transfer)

    def transfer(self, command: Deposit) -> Transfer | None:
        key = command.idempotency_key
        return self._known.get(command.transfer_id if key is None else (command.user_id, key))

    def _know(self, transfer: Transfer) -> None:
        self._known[transfer.id] = transfer
        if transfer.idempotency_key is not None:
            self._known[transfer.user_id, transfer.idempotency_key] = transfer

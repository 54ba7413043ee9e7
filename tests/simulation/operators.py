"""An operator who acts for a customer, and repeats each call until its outcome is known."""

from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Refused
from payments.domain.account import Account, Deposited, Reason
from payments.domain.commands import CorrectAccount, FreezeAccount
from tests.memory.payments import ACCOUNTS, TRANSFERS
from tests.simulation.clients import Client, Intent, Kind, Shop
from tests.simulation.promises import Promise

ADA = Caller(Role.OPERATOR, "ada", "gateway")


class Operator(Client):
    """An operator who acts for one customer."""

    caller = ADA

    def __init__(self, shop: Shop, user_id: str) -> None:
        super().__init__(shop, user_id)
        shop.has_operators = True

    async def freeze(self) -> None:
        await self._freeze(Kind.FREEZE)

    async def unfreeze(self) -> None:
        await self._freeze(Kind.UNFREEZE)

    async def _freeze(self, kind: Kind) -> None:
        """Freezes or thaws the account. The call is idempotent by itself, so it needs no key."""
        frozen = kind is Kind.FREEZE
        intent = self._intent(kind, kind.value)
        command = {"caller": ADA, "user_id": self.user_id, "note": intent.note, "frozen": frozen}
        account = await self._ask(
            intent, "payments", lambda s: s.freeze(FreezeAccount(command_id=s.clock.new_id(), **command))
        )
        if isinstance(account, Account):
            intent.ids.add(account.id)
            self._hold(Promise.OWN_ANSWER, account.is_frozen is frozen, intent)
            row = self._shop.databases["payments"].get(ACCOUNTS, self.user_id)
            self._hold(Promise.KEPT, row is not None and row.is_frozen is frozen, intent)

    def correction(self, amount: int, key: str) -> Intent:
        """A correction. Its amount is moved a little away from 0, so that the amount is unique."""
        return self._intent(Kind.CORRECT, key, amount + (self._count if amount > 0 else -self._count))

    async def correct(self, intent: Intent, *, twins: bool = False) -> None:
        """Of `twins`, which are under way at once, one may be refused and the other one not."""
        assert intent.key is not None
        command = {
            "caller": ADA,
            "user_id": self.user_id,
            "amount": intent.amount,
            "note": intent.note,
            "idempotency_key": ADA.key_of_correction(intent.key),
        }
        intent.refusal = None
        made = await self._ask(
            intent, "payments", lambda s: s.correct(CorrectAccount(transfer_id=s.clock.new_id(), **command))
        )
        rows = {row.id: row for row in self._shop.databases["payments"].rows(TRANSFERS)}
        if isinstance(made, Deposited):
            about = made.transfer.user_id, made.transfer.change
            self._hold(Promise.OWN_ANSWER, about == (self.user_id, intent.amount), intent)
            self._hold(Promise.KEPT, made.transfer.id in rows, intent)
            intent.ids.add(made.transfer.id)
            self._hold(Promise.ONCE_A_KEY, len(intent.ids) == 1, intent)
        elif isinstance(made, Refused):
            intent.refusal = made.code
            self._hold(Promise.OWN_ANSWER, made.code == Reason.INSUFFICIENT_FUNDS, intent)
            self._hold(Promise.PAYABLE, self._sure_balance(intent) + intent.amount < 0, intent)
            left = [row for row in rows.values() if row.change == intent.amount]
            self._hold(Promise.NOTHING_LEFT, twins or not left, intent)

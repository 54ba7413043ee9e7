"""A transfer changes the balance of one user's account."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kernel.domain.value import value

# System accounts have no row, because all transfers would wait for the lock on it. The balance of a system
# account is the sum of its transfers.
FUNDING = "system:funding"
REVENUE = "system:revenue"
CORRECTIONS = "system:corrections"


def own_account(user_id: str) -> str:
    """The name of the user's account in transfers."""
    return f"user:{user_id}"


class Kind(StrEnum):
    DEPOSIT = "deposit"
    CAPTURE = "capture"
    REFUND = "refund"
    CORRECTION = "correction"


OTHER_SIDE = {
    Kind.DEPOSIT: FUNDING,
    Kind.CAPTURE: REVENUE,
    Kind.REFUND: REVENUE,
    Kind.CORRECTION: CORRECTIONS,
}


@value(kw_only=True)
class Transfer:
    """Double entry in one row: `amount` leaves `debit_account` and reaches `credit_account`.

    `sequence` numbers the transfers of the user's account without a gap.
    """

    user_id: str
    sequence: int
    id: UUID
    kind: Kind
    debit_account: str
    credit_account: str
    amount: int
    order_id: UUID | None
    idempotency_key: str | None
    balance_after: int
    created_at: datetime

    @property
    def change(self) -> int:
        """The change of the user's balance, in minor units; negative if money leaves the account."""
        return self.amount if self.credit_account == own_account(self.user_id) else -self.amount

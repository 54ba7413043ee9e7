"""Planted bugs of what operators do for customers."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from kernel.domain.acts import Act
from payments.application.correct_accounts import CorrectAccounts
from payments.domain import account
from payments.domain.account import Account, Reason, Standing, reason_not_to_charge
from payments.domain.transfer import Kind
from tests.assembly import Parts
from tests.memory.operator_record import MemoryOperatorRecord
from tests.memory.payments import ACCOUNTS, MemoryAccounts
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.simulation.bugs import BUGS, Bug
from tests.simulation.faults import Fault
from tests.simulation.operator_flows import calling_off, correcting, freezing
from tests.simulation.promises import Promise


class RecordBeside(MemoryOperatorRecord):
    """Writes the record in a separate transaction, before the transaction of the recorded change."""

    async def add(self, acts: Sequence[Act]) -> None:
        async with MemoryUnitOfWork(self._uow._database) as beside:
            await MemoryOperatorRecord(beside).add(acts)


for flow in (freezing, correcting, calling_off):
    BUGS[f"what operators do is recorded in a transaction of its own: {flow.__name__}"] = Bug(
        breaks=Promise.RECORDED,
        parts=lambda: Parts(record=RecordBeside),
        fault=("record.add", Fault.DIES_AFTER),
        flow=flow,
    )


class RecordForgotten(MemoryOperatorRecord):
    async def add(self, acts: Sequence[Act]) -> None:
        await super().add([act for act in acts if act.did != "unfreeze_account"])


BUGS["that an account was thawed is not recorded"] = Bug(
    breaks=Promise.RECORDED, parts=lambda: Parts(record=RecordForgotten), flow=freezing
)


class WithoutKey(CorrectAccounts):
    async def __call__(self, commands: Sequence[Any]) -> list[Any]:
        return await super().__call__([replace(c, idempotency_key=str(c.transfer_id)) for c in commands])


BUGS["a correction is booked without its key"] = Bug(
    breaks=Promise.ONCE_A_KEY, parts=lambda: Parts(correct_accounts=WithoutKey), flow=correcting
)


BUGS["a correction has no other side"] = Bug(
    breaks=Promise.CONSERVED,
    constants=((account, "OTHER_SIDE", {**account.OTHER_SIDE, Kind.CORRECTION: "system:nobody"}),),
    flow=correcting,
)


class FrozenReadFirst(MemoryAccounts):
    async def lock(self, user_ids: Set[str]) -> Mapping[str, Account]:
        early = {user_id: self._uow.transaction.get(ACCOUNTS, user_id) for user_id in user_ids}
        locked = await super().lock(user_ids)
        return {
            user_id: replace(row, frozen_at=seen.frozen_at) if (seen := early[user_id]) else row
            for user_id, row in locked.items()
        }


BUGS["whether an account is frozen is read before the account is locked"] = Bug(
    breaks=Promise.FROZEN, parts=lambda: Parts(accounts=FrozenReadFirst), operators=True
)


def deaf(amount: int, standing: Standing | None) -> Reason | None:
    return reason_not_to_charge(amount, standing and standing._replace(frozen=False))


BUGS["the decision does not ask whether the account is frozen"] = Bug(
    breaks=Promise.FROZEN, constants=((account, "reason_not_to_charge", deaf),), flow=freezing
)

"""What operators did, as it is recorded."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from kernel.domain.caller import Caller, Role
from kernel.domain.value import value


class Command(Protocol):
    @property
    def caller(self) -> Caller: ...

    @property
    def user_id(self) -> str:
        """Whom it concerns."""
        ...


@value(kw_only=True)
class Act:
    """Nobody does the same to the same subject twice: a repeated call finds it done."""

    user_id: str
    """Whom it concerned."""
    subject: UUID
    """The id of the order, the transfer or the account."""
    did: str
    operator: str
    through: str
    """The service that acted for the operator; empty where the operator's own token came with the call."""
    at: datetime


def acts_of_operators(did: str, done: Iterable[tuple[Command, UUID]], at: datetime) -> list[Act]:
    """Of the commands that had an effect, each with its subject, those that operators gave."""
    return [
        Act(
            user_id=command.user_id,
            subject=subject,
            did=did,
            operator=command.caller.id,
            through=command.caller.service,
            at=at,
        )
        for command, subject in done
        if command.caller.role is Role.OPERATOR
    ]

"""What operators did, as it is recorded."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from kernel.domain.caller import Caller, Role
from kernel.domain.value import value

Place = tuple[datetime, UUID, str]
"""Where an act stands in the record: its time, its subject, and what was done."""


class Command(Protocol):
    @property
    def caller(self) -> Caller: ...

    @property
    def user_id(self) -> str:
        """Whom it concerns."""
        ...


@value(kw_only=True)
class Act:
    """An operator's act. The same act on the same subject is recorded once: a repeated call finds it done."""

    user_id: str = ""
    """Whom it concerned; empty where that was nobody."""
    subject: UUID
    """The id of the order, the transfer or the account, else of the command."""
    did: str
    about: str = ""
    """What it was done to, where neither the user nor the subject says it."""
    operator: str
    through: str
    """The service that acted for the operator; empty where the operator's own token came with the call."""
    note: str = ""
    at: datetime

    @property
    def place(self) -> "Place":
        return (self.at, self.subject, self.did)


C = TypeVar("C", bound=Command)


def acts_of_operators(
    did: str, done: Iterable[tuple[C, UUID]], at: datetime, note: Callable[[C], str] = lambda _: ""
) -> list[Act]:
    """The acts of operators among the commands that had an effect; each command comes with its subject."""
    return [
        Act(
            user_id=command.user_id,
            subject=subject,
            did=did,
            operator=command.caller.id,
            through=command.caller.service,
            note=note(command),
            at=at,
        )
        for command, subject in done
        if command.caller.role is Role.OPERATOR
    ]

"""The acts of operators, as they are recorded."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from kernel.domain.caller import Caller, Role
from kernel.domain.value import value

Place = tuple[datetime, UUID, str]
"""The position of an act in the record: its time, its subject, and what was done."""


class Command(Protocol):
    @property
    def caller(self) -> Caller: ...

    @property
    def user_id(self) -> str:
        """The id of the user whom the command concerns."""


@value(kw_only=True)
class Act:
    """An act of an operator, recorded once for each key: `user_id`, `subject` and `did`."""

    user_id: str = ""
    """The id of the user whom the act concerned; empty if it concerned none."""
    subject: UUID
    """The id of the order, transfer, account or operation; a new id for any other act."""
    did: str
    about: str = ""
    """The target in words, if `user_id` and `subject` do not tell it."""
    operator: str
    through: str
    """The service, or the console, that sent the command for the operator; empty if the call came with the
    operator's own token."""
    note: str = ""
    at: datetime

    @property
    def place(self) -> Place:
        return (self.at, self.subject, self.did)


C = TypeVar("C", bound=Command)


def acts_of_operators(
    did: str, done: Iterable[tuple[C, UUID]], at: datetime, note: Callable[[C], str] = lambda _: ""
) -> list[Act]:
    """Returns one act for each command that an operator gave. `done` has the commands that had an effect,
    each with the id of its subject."""
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

from collections.abc import Sequence
from typing import Protocol, TypeVar

C_contra = TypeVar("C_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Groups(Protocol[C_contra, R_co]):
    """Runs commands in batches: one GroupCommit, or one for each lane."""

    async def __call__(self, command: C_contra) -> R_co:
        """Does the same as GroupCommit.__call__."""

    async def submit(self, commands: Sequence[C_contra]) -> Sequence[R_co | Exception]:
        """Does the same as GroupCommit.submit."""

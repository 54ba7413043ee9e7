"""Planted bugs: each removes one guard, and the other guards that would repair the damage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.domain.events import Received
from tests.assembly import Parts
from tests.memory.database import Table
from tests.memory.inbox import MemoryInbox
from tests.simulation.faults import Fault
from tests.simulation.promises import Promise
from tests.simulation.scenarios import Clients


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """`parts` makes the parts of one run; `unguarded` are unique keys that are off.

    It shows at random, or in the `flow`, in fair weather or when its `fault` meets each call of a kind.
    """

    breaks: Promise
    parts: Callable[[], Parts] = Parts
    unguarded: Sequence[tuple[Table[Any], str]] = ()
    constants: Sequence[tuple[Any, str, Any]] = ()
    destroying: bool = False
    users: int | None = None
    fault: tuple[str, Fault] | None = None
    flow: Clients | None = None
    operators: bool = False
    lanes: int = 1


BUGS: dict[str, Bug] = {}


class NoInbox(MemoryInbox):
    async def claim(self, received: Sequence[Received[Any]]) -> Sequence[Received[Any]]:
        return received

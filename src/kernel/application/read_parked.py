from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.errors import NotFound
from kernel.domain.parked import Group, Operation, OwnName, Waiting
from kernel.ports.parked import ParkedReading


@dataclass
class ReadParked:
    """Reads the parked messages of this service. Each call raises Forbidden if the caller may not see all."""

    reading: ParkedReading
    service: OwnName

    async def page(
        self, caller: Caller, *, group: UUID | None = None, after: UUID | None = None, limit: int
    ) -> Sequence[Waiting]:
        """Returns messages in the order of their ids. Raises NotFound for an unknown group."""
        caller.require_to_see_all()
        cause = None if group is None else (await self.group(caller, group)).cause
        return await self.reading.page(cause=cause, after=after, count_max=limit)

    async def message(self, caller: Caller, id: UUID) -> Waiting:
        """Returns a message. Raises NotFound if it is not parked."""
        caller.require_to_see_all()
        found = await self.reading.find(id)
        if found is None:
            raise NotFound("message_not_found", "no such message waits")
        return found

    async def groups(self, caller: Caller) -> Sequence[Group]:
        """Returns the groups in the order of their ids. Includes held groups that have no messages now."""
        caller.require_to_see_all()
        figures, held = await self.reading.causes(), await self.reading.held()
        groups = [
            Group(
                id=cause.id_in(self.service),
                service=self.service,
                cause=cause,
                figures=figures.get(cause),
                hold=held.get(cause),
            )
            for cause in {**figures, **held}
        ]
        return sorted(groups, key=lambda group: group.id)

    async def group(self, caller: Caller, id: UUID) -> Group:
        """Returns a group. Raises NotFound if the service has no such group."""
        for group in await self.groups(caller):
            if group.id == id:
                return group
        raise NotFound("group_not_found", "there is no such group of messages")

    async def operation(self, caller: Caller, id: UUID) -> Operation:
        """Returns an operation. Raises NotFound if the service has no such operation."""
        caller.require_to_see_all()
        found = await self.reading.operation(id)
        if found is None:
            raise NotFound("operation_not_found", "there is no such operation")
        return found

"""The consumers of all services are read together, and each is paused where it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gateway.application.operate_consumers import JoinedConsumers, OperateConsumers
from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import Forbidden, NotFound, Unavailable
from kernel.domain.pauses import ConsumerState
from kernel.ports.http_answer import HttpAnswer

DONE = HttpAnswer(200, "application/json", {}, b"{}")


@dataclass
class Service:
    name: str
    away: bool = False
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    async def consumers(self, caller: Caller) -> Sequence[ConsumerState]:
        if self.away:
            raise Unavailable("away")
        return [ConsumerState(service=self.name, pause=None)]

    async def act(self, caller: Caller, path: str, body: bytes) -> HttpAnswer:
        self.asked.append((path, body))
        return DONE


def services(**away: bool) -> dict[str, Service]:
    return {name: Service(name, away.get(name, False)) for name in ("orders", "payments")}


async def test_the_part_of_a_service_that_is_away_is_unknown() -> None:
    joined = await OperateConsumers(services(orders=True)).read(ANYONE)
    assert joined == JoinedConsumers([ConsumerState(service="payments", pause=None)], ["orders"])
    with pytest.raises(Unavailable):
        await OperateConsumers(services(orders=True, payments=True)).read(ANYONE)


async def test_the_service_that_is_named_is_asked_alone() -> None:
    all_of_them = services()
    assert await OperateConsumers(all_of_them).act(ANYONE, "payments", "/path", b"{}") == DONE
    assert (all_of_them["orders"].asked, all_of_them["payments"].asked) == ([], [("/path", b"{}")])


async def test_who_may_not_asks_nobody_not_even_whether_there_is_such_a_service() -> None:
    all_of_them, viewer, user = services(), Caller(Role.VIEWER, "vera"), Caller(Role.USER, "alice")
    operate = OperateConsumers(all_of_them)
    for caller in (viewer, user):
        for name in ("payments", "nobody"):
            with pytest.raises(Forbidden):
                await operate.act(caller, name, "/path", b"")
    with pytest.raises(Forbidden):
        await operate.read(user)
    with pytest.raises(NotFound, match="orders and payments"):
        await operate.act(ANYONE, "nobody", "/path", b"")
    assert all_of_them["payments"].asked == []

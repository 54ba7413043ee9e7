"""Operators act at one service that they name, and read the consumers of all together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gateway.application.act_at_service import ActAtService
from gateway.application.parts import Parts
from gateway.application.read_consumers import ReadConsumers
from kernel.adapters.system_clock import SystemClock
from kernel.domain.caller import ANYONE, Caller
from kernel.domain.errors import NotFound, OutcomeUnknown, Unavailable
from kernel.domain.pauses import ConsumerState
from kernel.ports.http_answer import HttpAnswer

DONE = HttpAnswer(200, "application/json", {}, b"{}")


@dataclass
class Service:
    name: str
    away: bool = False
    lost: int = 0
    """So many answers are lost on the way."""
    asked: list[tuple[str, bytes, str | None]] = field(default_factory=list)

    async def consumers(self, caller: Caller) -> Sequence[ConsumerState]:
        if self.away:
            raise Unavailable("away")
        return [ConsumerState(service=self.name, pause=None)]

    async def act(self, caller: Caller, path: str, body: bytes, *, key: str | None = None) -> HttpAnswer:
        self.asked.append((path, body, key))
        if len(self.asked) <= self.lost:
            raise OutcomeUnknown("lost")
        return DONE


def services(**away: bool) -> dict[str, Service]:
    return {name: Service(name, away.get(name, False)) for name in ("orders", "payments")}


async def test_the_part_of_a_service_that_is_away_is_unknown() -> None:
    found = await ReadConsumers(services(orders=True))(ANYONE)
    assert found == Parts({"payments": [ConsumerState(service="payments", pause=None)]}, ["orders"])
    with pytest.raises(Unavailable):
        await ReadConsumers(services(orders=True, payments=True))(ANYONE)


async def test_the_service_that_is_named_is_asked_alone() -> None:
    all_of_them = services()
    act = ActAtService(all_of_them, SystemClock())
    assert await act(ANYONE, "payments", "/path", b"{}", key="k") == DONE
    assert all_of_them["orders"].asked == []
    assert all_of_them["payments"].asked == [("/path", b"{}", "k")]
    with pytest.raises(NotFound, match="orders and payments"):
        await act(ANYONE, "nobody", "/path", b"")


async def test_an_act_whose_answer_was_lost_is_asked_for_again_with_the_same_key() -> None:
    payments = Service("payments", lost=2)
    act = ActAtService({"payments": payments}, SystemClock())
    assert await act(ANYONE, "payments", "/path", b"{}", key="k") == DONE
    assert payments.asked == [("/path", b"{}", "k")] * 3

"""Health counts on the lanes that answer, and hides no bug."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.http.health import Probes
from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.domain.errors import Contention, Unavailable
from kernel.wiring.health import probes

NEEDED = 8


@pytest.fixture
def of_lanes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Probes of as many lanes, of which each answers with its revision, or raises."""

    def made(*answers: int | Exception) -> Probes:
        engines = [connect_engine("postgresql://x@127.0.0.1:1/none") for _ in answers]

        async def revision(engine: AsyncEngine) -> int:
            answer = answers[engines.index(engine)]
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr("kernel.wiring.health.revision", revision)
        return probes(engines, NEEDED, None, asyncio.Event())  # type: ignore[arg-type]

    return made


@pytest.mark.parametrize("away", [Unavailable("away"), Contention("busy"), TimeoutError()])
async def test_one_lane_that_answers_suffices_and_one_that_does_not_is_told(
    of_lanes: Any, away: Exception
) -> None:
    health = of_lanes(NEEDED, away)
    assert await health.required["database"]()
    assert await health.required["schema"]()
    assert not await health.helpful["database"]()
    assert not await of_lanes(away, away).required["database"]()


async def test_an_error_that_is_not_of_the_database_is_not_taken_for_a_lane_that_is_away(
    of_lanes: Any,
) -> None:
    with pytest.raises(ZeroDivisionError):
        await of_lanes(NEEDED, ZeroDivisionError()).required["database"]()

"""The `instance` of a problem is the path as it was sent, whoever refuses the call, and wherever."""

import pytest

from tests.servers.shop import SERVICES
from tests.spec.scenario import Answer, expect_problem, new_user
from tests.spec.security.conftest import Guarded

# Decoded, it would be another path.
PATH = "/n%6F%20such%2Fplace"


@pytest.mark.parametrize("service", SERVICES)
async def test_refusals_name_the_path_as_it_was_sent(guarded: Guarded, service: str) -> None:
    url, token = f"{guarded.urls[service]}{PATH}", guarded.keys.token(new_user())

    async def asked(*headers: tuple[str, str]) -> Answer:
        return await guarded.http("GET", url, headers=headers)

    bearer = ("Authorization", f"Bearer {token}")
    expect_problem(await asked(), 401, code="unauthorized")
    expect_problem(await asked(("Authorization", "Bearer of.no.good")), 401, code="unauthorized")
    expect_problem(await asked(bearer, bearer), 400, field="Authorization")
    expect_problem(await asked(bearer), 404, code="not_found")

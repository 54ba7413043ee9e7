"""What payments says of orders is for the audit of another service, whoever gets as far as the use case."""

from typing import Any

import pytest

from kernel.domain.caller import Caller, Role
from kernel.domain.errors import Forbidden
from payments.application.read_claims import ReadClaims
from tests.unit.untouched import Untouched


@pytest.mark.parametrize("role", [Role.USER, Role.VIEWER, Role.OPERATOR])
async def test_people_read_no_claims_of_payments(role: Role) -> None:
    untouched: Any = Untouched()
    read, caller = ReadClaims(untouched, untouched), Caller(role, "alice")
    with pytest.raises(Forbidden):
        await read.page(caller, None, None, limit=1)
    with pytest.raises(Forbidden):
        await read.known(caller, [])
    with pytest.raises(Forbidden):
        await read.checked(caller)

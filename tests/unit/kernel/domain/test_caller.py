"""What callers may: each role, for themselves and for another user."""

import pytest

from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import Forbidden

ALICE, VERA, OLGA = Caller(Role.USER, "alice"), Caller(Role.VIEWER, "vera"), Caller(Role.OPERATOR, "olga")
GATEWAY = Caller(Role.SERVICE, "gateway", "gateway")


@pytest.mark.parametrize(
    ("caller", "user", "sees", "acts"),
    [
        (ANYONE, "alice", True, True),
        (ALICE, "alice", True, True),
        (ALICE, "bob", False, False),
        (VERA, "alice", True, False),
        (VERA, "vera", True, False),
        (OLGA, "alice", True, True),
        (OLGA, "olga", True, True),
        (GATEWAY, "alice", False, False),
        (GATEWAY, "gateway", False, False),
    ],
)
def test_each_role_sees_and_acts_for_those_it_may(caller: Caller, user: str, sees: bool, acts: bool) -> None:
    assert caller.may_see(user) is sees
    assert caller.may_act_for(user) is acts


@pytest.mark.parametrize("caller", [ALICE, VERA, OLGA])
def test_internal_routes_are_for_services_and_for_those_they_act_for(caller: Caller) -> None:
    with pytest.raises(Forbidden):
        caller.require_service()
    Caller(caller.role, caller.id, "gateway").require_service()
    GATEWAY.require_service()
    ANYONE.require_service()


def test_a_service_vouches_for_users_and_for_nobody_whose_own_token_speaks() -> None:
    assert GATEWAY.vouching_for("alice") == Caller(Role.USER, "alice", "gateway")
    for caller in (ANYONE, ALICE, VERA, OLGA):
        assert caller.vouching_for("bob") == caller


def test_an_operators_key_for_a_user_never_meets_the_users_own() -> None:
    assert ALICE.scoped("k", "alice") == ANYONE.scoped("k", "alice") == "k"
    assert OLGA.scoped("k", "olga") == "k"
    assert OLGA.scoped(None, "alice") is None
    keys = {OLGA.scoped("k", "alice"), Caller(Role.OPERATOR, "olga2").scoped("k", "alice"), "k", "olga k"}
    assert len(keys) == 4

"""The rules of sessions."""

import pytest

from gateway.domain.session import (
    BELIEVED_BEYOND_S,
    Session,
    SignIn,
    is_foreign,
    may_be_forged,
    own_path,
    renew_at,
    require_person,
)
from kernel.adapters.identity.verifying import LEEWAY_S
from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import Forbidden

BEGUN = SignIn("state", "nonce", "verifier", "https://shop.example/session/callback", "/", until=600)


def test_a_token_is_believed_as_long_as_the_check_of_tokens_says() -> None:
    assert BELIEVED_BEYOND_S == LEEWAY_S


@pytest.mark.parametrize(
    ("valid_s", "after_s"), [(3600, 3540), (300, 240), (120, 60), (60, 30), (10, 5), (-20, -20)]
)
def test_a_token_is_renewed_a_minute_before_its_end_or_at_half_its_life(valid_s: int, after_s: int) -> None:
    assert renew_at(1000, 1000 + valid_s + BELIEVED_BEYOND_S) == 1000 + after_s


def test_a_session_is_due_from_then_on_if_it_can_be_renewed() -> None:
    renewable, not_renewable = Session("a", "t", "r", renew_at=50), Session("a", "t", renew_at=50)
    assert [renewable.is_due(now, is_good=True) for now in (49, 50, 51)] == [False, True, True]
    assert renewable.is_due(49, is_good=False)
    assert not not_renewable.is_due(51, is_good=False)


def test_a_sign_in_is_answered_by_its_own_state_within_ten_minutes() -> None:
    assert BEGUN.is_answered("state", 599)
    assert not BEGUN.is_answered("state", 600)
    assert not BEGUN.is_answered("other", 1)
    assert not BEGUN.is_answered("", 1)


@pytest.mark.parametrize(
    ("fetch_site", "own_header", "forged"),
    [
        (None, "1", False),
        ("same-origin", "1", False),
        ("none", "1", False),
        ("same-origin", "", False),
        (None, None, True),
        ("same-origin", None, True),
        ("same-site", "1", True),
        ("cross-site", "1", True),
        ("unheard of", "1", True),
    ],
)
def test_a_change_may_be_forged_without_our_header_or_from_a_page_of_another_host(
    fetch_site: str | None, own_header: str | None, forged: bool
) -> None:
    assert may_be_forged(fetch_site, own_header) is forged


def test_a_browser_that_says_nothing_of_the_page_is_not_called_foreign() -> None:
    assert [is_foreign(site) for site in (None, "none", "same-origin", "same-site", "cross-site")] == [
        False, False, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/", "/orders", "/orders?limit=5&x=%2F%2Fevil.example", "/a//b", "/#top", "/~[1]"]
)
def test_a_path_of_our_own_is_taken(path: str) -> None:
    assert own_path(path) == path


def test_only_people_get_a_session() -> None:
    for role in (Role.USER, Role.VIEWER, Role.OPERATOR):
        require_person(Caller(role, "alice"))
    for caller in (
        ANYONE,
        Caller(Role.SERVICE, "orders", "orders"),
        Caller(Role.OPERATOR, "olga", "gateway"),
    ):
        with pytest.raises(Forbidden):
            require_person(caller)

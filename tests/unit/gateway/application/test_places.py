"""Places are counted in all and for each address."""

from contextlib import ExitStack

import pytest

from gateway.application.places import Places
from kernel.domain.errors import Unavailable


def test_one_address_leaves_places_for_others() -> None:
    places = Places(4, per_address_max=2)
    with ExitStack() as taken:
        for _ in range(2):
            taken.enter_context(places.one("10.0.0.1"))
        with pytest.raises(Unavailable) as refused, places.one("10.0.0.1"):
            pass
        assert refused.value.code == "too_many_streams"
        with places.one("10.0.0.2"):
            pass
    with places.one("10.0.0.1"):
        pass


def test_a_caller_without_an_address_is_limited_by_the_places_in_all_only() -> None:
    places = Places(3, per_address_max=1)
    with ExitStack() as taken:
        for _ in range(3):
            taken.enter_context(places.one())
        with pytest.raises(Unavailable) as refused, places.one():
            pass
        assert refused.value.code == "overloaded"


def test_one_user_leaves_places_for_others_wherever_they_call_from() -> None:
    places = Places(4, per_user_max=2)
    with ExitStack() as taken:
        for address in ("10.0.0.1", "10.0.0.2"):
            taken.enter_context(places.one(address, "alice"))
        with pytest.raises(Unavailable, match="this user has 2 streams") as refused:
            taken.enter_context(places.one("10.0.0.3", "alice"))
        assert refused.value.code == "too_many_streams"
        with places.one("10.0.0.1", "bob"):
            pass
    with places.one("10.0.0.1", "alice"):
        pass


def test_a_user_is_not_taken_for_an_address_of_the_same_name() -> None:
    places = Places(4, per_address_max=1, per_user_max=1)
    with places.one("10.0.0.1"), places.one(user="10.0.0.1"):
        pass


def test_a_caller_who_is_refused_for_one_reason_takes_no_place_for_the_other() -> None:
    places = Places(4, per_address_max=1, per_user_max=1)
    with places.one("10.0.0.1", "alice"), pytest.raises(Unavailable), places.one("10.0.0.2", "alice"):
        pass
    with places.one("10.0.0.2", "alice"):
        pass

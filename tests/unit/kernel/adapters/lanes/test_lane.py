"""The lane of a user never changes, and the id of an order tells it."""

from uuid import UUID

import pytest
import uuid_utils
from hypothesis import given
from hypothesis import strategies as st

from kernel.adapters.lanes.lane import LaneFinder, every_lane

COUNTS = [2**bits for bits in range(9)]
# The first byte of `printf USER | sha256sum`.
FIRST_BYTES = {"alice": 0x2B, "bob": 0x81, "0": 0x5F, "user-1": 0xC6, "a|b:c@d": 0xF3}


def new_id() -> UUID:
    return UUID(bytes=uuid_utils.uuid7().bytes)


@pytest.mark.parametrize("count", COUNTS)
def test_the_lane_of_a_user_is_the_first_bits_of_a_published_hash(count: int) -> None:
    for user, byte in FIRST_BYTES.items():
        assert LaneFinder(count).of_user(user) == byte * count // 256


@pytest.mark.parametrize("count", COUNTS)
def test_the_id_of_an_order_tells_the_lane_of_its_user_and_when_it_was_made(count: int) -> None:
    finder = LaneFinder(count)
    for number in range(300):
        plain = new_id()
        made = finder.order_id(f"user-{number}", plain)
        assert finder.of_order(made) == finder.of_user(f"user-{number}")
        assert (made.version, made.variant) == (7, plain.variant)
        assert (made.int >> 80, made.int & (1 << 68) - 1) == (plain.int >> 80, plain.int & (1 << 68) - 1)


def test_one_lane_takes_ids_as_they_are() -> None:
    plain = new_id()
    assert LaneFinder(1).order_id("alice", plain) is plain
    assert LaneFinder(1).of_user("alice") == LaneFinder(1).of_order(plain) == 0


@given(st.uuids(), st.sampled_from(COUNTS))
def test_every_id_leads_to_a_lane(id: UUID, count: int) -> None:
    assert 0 <= LaneFinder(count).of_order(id) < count


def test_users_of_any_kind_fill_the_lanes_evenly() -> None:
    for form in ("{}", "user-{}", "{}@shop.example"):
        counts = [0] * 16
        for number in range(16_000):
            counts[LaneFinder(16).of_user(form.format(number))] += 1
        assert max(counts) < 1.15 * 1000
        assert min(counts) > 0.85 * 1000


def test_a_lane_among_several_has_a_schema_that_bears_its_number() -> None:
    assert [lane.schema for lane in every_lane(1)] == [None]
    assert [lane.schema for lane in every_lane(256)][::51] == [f"lane_{n:03}" for n in range(0, 256, 51)]
    assert str(every_lane(4)[3]) == "lane 3 of 4"

"""What a browser keeps: nobody reads it, nobody makes it up, and nobody uses it for something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.inbound.sealing import Sealing
from gateway.domain.session import Session

OLD, NEW = "o" * 32, "n" * 32
SESSION = Session("alice", "access", "refresh", "id", 17.5)


def sealing(*keys: str, purpose: str = "a test", compressed: bool = False) -> Sealing[Session]:
    return Sealing(Session, keys, purpose=purpose, compressed=compressed)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_sealed_text_is_opened_as_it_was(compressed: bool) -> None:
    own = sealing(OLD, compressed=compressed)
    assert own.open(own.seal(SESSION)) == SESSION
    assert own.seal(SESSION) != own.seal(SESSION), "nobody sees that two are alike"


def test_the_first_key_seals_and_all_open() -> None:
    both, by_old = sealing(NEW, OLD), sealing(OLD).seal(SESSION)
    assert both.open(by_old) == SESSION
    assert sealing(NEW).open(both.seal(SESSION)) == SESSION
    assert sealing(OLD).open(both.seal(SESSION)) is None
    assert sealing().open(by_old) is None


def test_a_text_that_was_sealed_for_one_purpose_is_nothing_for_another() -> None:
    assert sealing(OLD, purpose="another").open(sealing(OLD).seal(SESSION)) is None


def test_compression_makes_tokens_shorter() -> None:
    long = Session("alice", "A1b2" * 500)
    assert len(sealing(OLD, compressed=True).seal(long)) < len(sealing(OLD).seal(long)) / 4


@given(st.text())
def test_any_text_is_opened_as_nothing(text: str) -> None:
    assert sealing(OLD).open(text) is None


@given(st.data())
def test_a_sealed_text_that_was_changed_is_opened_as_nothing(data: st.DataObject) -> None:
    whole = sealing(OLD).seal(SESSION)
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != whole[place]))
    opened = sealing(OLD).open(whole[:place] + other + whole[place + 1 :])
    # The last character of base64 has bits that say nothing.
    assert opened is None or opened == SESSION

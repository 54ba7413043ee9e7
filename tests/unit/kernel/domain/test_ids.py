"""User ids: 1 to 128 characters of a fixed set."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.domain.ids import parse_user_id

FIRST = string.ascii_letters + string.digits
REST = FIRST + "._@|:-"

user_ids = st.builds(str.__add__, st.sampled_from(FIRST), st.text(REST, max_size=127))


@given(user_ids)
def test_a_user_id_stays_as_it_was_given(text: str) -> None:
    assert parse_user_id(text) == text


@given(st.text(max_size=200))
def test_only_a_text_of_the_allowed_characters_is_a_user_id(text: str) -> None:
    allowed = 1 <= len(text) <= 128 and text[0] in FIRST and set(text) <= set(REST)
    if allowed:
        assert parse_user_id(text) == text
    else:
        with pytest.raises(ValueError, match="1 to 128"):
            parse_user_id(text)


@pytest.mark.parametrize(
    "text", ["", ".a", "-1", "@", "a/b", "a b", "a\n", "\na", "ä", "a\x00", "a" * 129, "a%2Fb"]
)
def test_a_malformed_user_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be 1 to 128 of the characters"):
        parse_user_id(text)

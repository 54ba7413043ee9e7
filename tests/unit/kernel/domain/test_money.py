"""Amounts: their grammar, exact to the minor unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.domain.money import BALANCE_MAX_MINOR, in_units, parse_amount

AMOUNT_MAX_MINOR = 999_999_999_999_99

amounts_minor = st.integers(min_value=1, max_value=AMOUNT_MAX_MINOR)


@given(amounts_minor)
def test_an_amount_that_was_written_is_read_as_itself(minor: int) -> None:
    assert parse_amount(str(in_units(minor))) == minor


@given(
    st.from_regex(
        r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?", fullmatch=True, alphabet=st.characters(codec="ascii")
    )
)
def test_every_text_of_the_grammar_means_exactly_what_it_says(text: str) -> None:
    hundredths = Decimal(text) * 100
    if hundredths == 0:
        with pytest.raises(ValueError, match="greater than 0"):
            parse_amount(text)
    else:
        assert parse_amount(text) == hundredths


@given(st.text(alphabet="0123456789.-+eE_ ,", max_size=20))
def test_a_text_that_is_read_is_never_rounded(text: str) -> None:
    try:
        minor = parse_amount(text)
    except ValueError:
        return
    assert Decimal(minor) == Decimal(text) * 100
    assert 0 < minor <= AMOUNT_MAX_MINOR


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "1.", ".5", "01", "00.10", "1.234", "--1", "-1e2", "+1", "1e2", "1E2", "1,5", "1_000"),
        *(" 1", "1 ", "1\n", "1000000000000", "NaN", "Infinity", "0x10"),
        *("\N{FULLWIDTH DIGIT ONE}", "1.\N{ARABIC-INDIC DIGIT TWO}"),
    ],
)
def test_a_text_outside_the_grammar_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="12 digits before the point and 2 after"):
        parse_amount(text)


@pytest.mark.parametrize("text", ["0", "0.0", "0.00", "-1", "-0.01"])
def test_nothing_and_less_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        parse_amount(text)


@given(st.integers(min_value=-BALANCE_MAX_MINOR, max_value=BALANCE_MAX_MINOR))
def test_units_are_exact_and_have_two_digits(minor: int) -> None:
    text = str(in_units(minor))
    assert int(text.replace(".", "")) == minor
    assert text[-3] == "."


def test_every_balance_is_exact_in_a_client_whose_numbers_are_doubles() -> None:
    assert int(float(BALANCE_MAX_MINOR)) == BALANCE_MAX_MINOR
    assert round(float(in_units(BALANCE_MAX_MINOR)) * 100) == BALANCE_MAX_MINOR

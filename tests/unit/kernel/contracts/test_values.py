"""Amounts and user ids in JSON, both ways."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.contracts.http import IdempotencyKey
from kernel.contracts.values import Amount, Instant, UserId, decoder, encode
from kernel.domain.money import BALANCE_MAX_MINOR
from orders.contract.http import Description

amounts_minor = st.integers(min_value=1, max_value=999_999_999_999_99)


def amount(json_text: str) -> Amount:
    return decoder(Amount).decode(json_text)


def user_id(json_text: str) -> UserId:
    return decoder(UserId).decode(json_text)


@given(amounts_minor)
def test_an_amount_is_written_with_two_digits_as_a_number_and_read_back(minor: int) -> None:
    written = encode(Amount(minor)).decode()
    units, _, digits = written.partition(".")
    assert (units.isdigit(), len(digits)) == (True, 2)
    assert amount(written).minor == amount(f'"{written}"').minor == minor


@given(st.integers(min_value=0, max_value=BALANCE_MAX_MINOR))
def test_a_balance_is_written_exactly(minor: int) -> None:
    written = encode(Amount(minor)).decode()
    assert json.loads(written, parse_float=Decimal) * 100 == minor


@pytest.mark.parametrize("json_text", ["10", "10.0", "10.00", '"10"', '"10.0"', '"10.00"', '"1\\u0030"'])
def test_a_number_and_the_same_number_as_a_string_are_the_same_amount(json_text: str) -> None:
    assert amount(json_text).minor == 1000
    assert encode(amount(json_text)) == b"10.00"


def test_an_amount_never_passes_through_a_float() -> None:
    assert amount("999999999999.99").minor == 999_999_999_999_99
    assert amount("0.29").minor == 29
    with pytest.raises(msgspec.ValidationError):
        amount("0.29000000000000001")


@pytest.mark.parametrize("digits", [13, 19, 20, 25, 400, 4300, 5000])
def test_a_huge_number_is_no_amount(digits: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        amount("1" + "0" * (digits - 1))


@pytest.mark.parametrize(
    "json_text", ["0", "-0", "-1", "1e2", "1E400", "1.234", "true", "null", "[1]", "{}", '""', '" 1"']
)
def test_a_text_outside_the_grammar_of_the_contract_is_no_amount(json_text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        amount(json_text)


@pytest.mark.parametrize("json_text", ["NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", "0x10"])
def test_a_text_that_is_no_json_is_no_amount(json_text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        amount(json_text)


@given(st.integers(min_value=0, max_value=10**128 - 1))
def test_an_integer_is_a_user_id_and_means_its_decimal_string(number: int) -> None:
    assert user_id(str(number)) == user_id(f'"{number}"') == str(number)


@pytest.mark.parametrize("json_text", ["-1", "1.0", "1e3", "true", "null", "[]", '"a/b"', '""', str(10**128)])
def test_a_value_that_is_neither_a_user_id_nor_a_non_negative_integer_is_refused(json_text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        user_id(json_text)


def test_a_user_id_is_always_written_as_a_string() -> None:
    assert encode(user_id("7")) == b'"7"'


@pytest.mark.parametrize(
    "text", ["2026-01-01T01:30:00+01:30", "2025-12-31T19:00:00.000000-05:00", "2026-01-01t00:00:00z"]
)
def test_an_instant_is_written_in_utc_whatever_its_offset(text: str) -> None:
    instant = decoder(Instant).decode(f'"{text}"')
    assert instant == datetime(2026, 1, 1, tzinfo=UTC)
    assert encode(instant) == b'"2026-01-01T00:00:00Z"'
    assert instant.isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    "json_text",
    [
        *('"2026-01-01T00:00:00"', '"2026-01-01"', '"1767225600"', "1767225600", "true", "null", '""', "{}"),
        *('"0001-01-01T00:00:00+01:00"', '"9999-12-31T23:59:59-01:00"', '"2026-02-29T00:00:00Z"', '"now"'),
    ],
)
def test_a_time_without_a_zone_or_a_year_in_utc_is_no_instant(json_text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="must be a time with its zone"):
        decoder(Instant).decode(json_text)


def test_the_path_to_a_wrong_value_is_told() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"- at `\$\[1\]`$"):
        decoder(list[Amount]).decode("[1, 0]")


@pytest.mark.parametrize("text", ["", "a" * 500, "🛒" * 500, "line\nbreak\r\t"])
def test_a_description_is_any_text_of_500_characters(text: str) -> None:
    assert decoder(Description).decode(json.dumps(text)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["a" * 501, "\x00", "a\n\x00", "a\x00\n"])
def test_a_longer_description_or_one_with_a_null_character_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoder(Description).decode(json.dumps(text))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "a" * 256, "a\n", "\ta", "é", "\x7f", "\x00"])
def test_an_idempotency_key_is_1_to_255_printable_ascii_characters(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoder(IdempotencyKey).decode(json.dumps(text))  # type: ignore[arg-type]
    assert decoder(IdempotencyKey).decode(json.dumps("~ !" + "a" * 252)) == "~ !" + "a" * 252  # type: ignore[arg-type]

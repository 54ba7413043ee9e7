"""Bodies: what is wrong is said of the field that is wrong."""

import json

import pytest

from kernel.adapters.http import body
from kernel.adapters.http.body import decode_body, decode_items
from kernel.contracts.http import PlaceOrder, PlaceOrderItem
from kernel.domain.errors import Invalid


def blame(body: bytes, kind: type = PlaceOrder) -> tuple[str, str]:
    with pytest.raises(Invalid) as invalid:
        decode_body(body, kind)
    (error,) = invalid.value.errors
    assert invalid.value.code == "invalid_request"
    return error.field, error.message


def with_field(name: str, value: object) -> bytes:
    return json.dumps({"userId": "alice", "amount": "1.00", name: value}).encode()


def test_a_body_becomes_its_struct() -> None:
    order = decode_body(b'{"userId": 7, "amount": 12.5, "description": "a book"}', PlaceOrder)
    assert (order.user_id, order.amount.minor, order.description) == ("7", 1250, "a book")


def test_a_description_may_be_left_out() -> None:
    assert decode_body(b'{"userId": "alice", "amount": 1}', PlaceOrder).description == ""


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("amount", 0, "greater than 0"),
        ("amount", True, "must be a number"),
        ("amount", None, "must be a number"),
        ("amount", 0.001, "12 digits before the point and 2 after"),
        ("amount", 10**15, "12 digits before the point and 2 after"),
        ("amount", "abc", "12 digits before the point and 2 after"),
        ("userId", "a/b", "must be 1 to 128 of the characters"),
        ("userId", {}, "must be a string or a non-negative integer"),
        ("description", 5, "Expected `str`, got `int`"),
        ("description", "a" * 501, "length <= 500"),
        ("description", "\x00", "Expected `str`"),
        ("status", "NEW", "is unknown"),
        ("idempotencyKey", "k", "is unknown"),
        ("user_id", "alice", "is unknown"),
    ],
)
def test_the_field_that_is_wrong_is_named_as_the_client_writes_it(
    field: str, value: object, message: str
) -> None:
    named, text = blame(with_field(field, value))
    assert named == field
    assert message in text


@pytest.mark.parametrize("missing", ["userId", "amount"])
def test_a_field_that_is_missing_is_named(missing: str) -> None:
    fields = {"userId": "alice", "amount": 1}
    del fields[missing]
    assert blame(json.dumps(fields).encode()) == (missing, "is required")


def test_a_wrong_item_of_an_array_is_named_by_its_place() -> None:
    body = b'[{"userId": "alice", "amount": 1}, {"userId": "alice", "amount": 0}, {"userId": "alice"}]'
    assert blame(body, list[PlaceOrderItem]) == ("[1].amount", "must be greater than 0")
    assert blame(b'[{"userId": "alice"}]', list[PlaceOrderItem]) == ("[0].amount", "is required")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"5", b"[" * 100_000])
def test_json_that_is_no_object_is_blamed_on_the_body(body: bytes) -> None:
    field, message = blame(body)
    assert field == "body"
    assert "Expected `object`" in message


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"abc",
        b"{} x",
        b'{"amount": NaN}',
        b'{"userId": "\xff"}',
        b'{"description": "\\ud800"}',
        b'\xef\xbb\xbf{"userId": "alice", "amount": 1}',
        b'{"unknown": ' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_is_blamed_on_the_body(body: bytes) -> None:
    assert blame(body, dict)[0] == "body"


def test_a_body_that_is_missing_is_asked_for() -> None:
    assert blame(b"") == ("body", "is required")


def test_of_a_batch_that_is_too_long_no_item_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(body, "_decode_item", look)
    with pytest.raises(Invalid) as invalid:
        decode_items(b"[" + b"1," * 1000 + b"1]", PlaceOrderItem)
    assert [error.field for error in invalid.value.errors] == ["body"]

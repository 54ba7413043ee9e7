"""Bodies: what is wrong is said of the field that is wrong."""

import json

import pytest

from kernel.adapters.http.parsing import body
from kernel.adapters.http.parsing.body import decode_body, decode_items
from kernel.domain.errors import Invalid
from orders.contract.http import PlaceOrder, PlaceOrderItem


def faults(body: bytes, kind: type = PlaceOrder) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as invalid:
        decode_body(body, kind)
    assert invalid.value.code == "invalid_request"
    return [(error.field, error.message) for error in invalid.value.errors]


def blame(body: bytes, kind: type = PlaceOrder) -> tuple[str, str]:
    (fault,) = faults(body, kind)
    return fault


def with_field(name: str, value: object) -> bytes:
    return json.dumps({"userId": "alice", "amount": "1.00", name: value}).encode()


def test_a_body_becomes_its_struct_and_may_leave_the_description_out() -> None:
    order = decode_body(b'{"userId": 7, "amount": 12.5, "description": "a book"}', PlaceOrder)
    assert (order.user_id, order.amount.minor, order.description) == ("7", 1250, "a book")
    assert decode_body(b'{"userId": "alice", "amount": 1}', PlaceOrder).description == ""


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("amount", 0, "greater than 0, not 0"),
        ("amount", -5, "greater than 0, not -5"),
        ("amount", 10**4000, "not a number of 4001 characters"),
        ("amount", True, "must be a number"),
        ("amount", None, "must be a number"),
        ("amount", 0.001, "12 digits before the point and 2 after"),
        ("amount", 10**15, "12 digits before the point and 2 after"),
        ("amount", "abc", "12 digits before the point and 2 after"),
        ("userId", "a/b", "must be 1 to 128 of the characters"),
        ("userId", {}, "must be a string or a non-negative integer"),
        ("description", 5, "must be a string of at most 500 characters, without U+0000, not 5"),
        ("description", "a" * 501, "not a text of 501 characters"),
        ("description", "\x00", 'without U+0000, not "\\u0000"'),
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
    assert faults(body, list[PlaceOrderItem]) == [
        ("[1].amount", "must be greater than 0, not 0"),
        ("[2].amount", "is required"),
    ]
    assert blame(b'[{"userId": "alice"}]', list[PlaceOrderItem]) == ("[0].amount", "is required")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"5", b"[" * 100_000])
def test_json_that_is_no_object_is_blamed_on_the_body(body: bytes) -> None:
    field, message = blame(body)
    assert field == "body"
    assert message.startswith("must be an object, not ") or message == "is nested too deeply"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"abc",
        b"{} x",
        b'{"amount": NaN}',
        b'{"userId": "\xff"}',
        b'{"description": "\\ud800"}',
        b'\xef\xbb\xbf\xef\xbb\xbf{"userId": "alice", "amount": 1}',
        b'{"unknown": ' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_is_blamed_on_the_body(body: bytes) -> None:
    assert blame(body, dict)[0] == "body"


HALF = "holds half of a surrogate pair, which is not a character"
HALVES = [b"\\ud800", b"\\uDBFFabcdefgh", b"\\udc00", b"\\ud83d\\u0041", b"a\\ud83d\\n     "]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"userId": "alice"', "is not JSON: it ends too early"),
        (b'{"userId": alice}', "is not JSON: invalid character (byte 11)"),
        (b'{"userId": "al\xffce"}', "is not UTF-8: it holds the byte 0xff"),
        (b'{"colour": ' + b"[" * 50_000, "is nested too deeply"),
        (b'{"userId": NaN, "description": "\\ud83d\\ude00"}', "is not JSON: invalid character (byte 11)"),
        (b'{"userId": "\\ud83d\\ude00', "is not JSON: it ends too early"),
        *((b'{"userId": "%b"}' % half, HALF) for half in HALVES),
        *((b'{"%b": 1}' % half, HALF) for half in HALVES),
    ],
)
def test_a_body_that_is_no_json_is_explained_in_words(body: bytes, message: str) -> None:
    assert blame(body) == ("body", message)


def test_all_that_is_wrong_is_told_at_once() -> None:
    body = b'{"userId": "a/b", "amount": "1e2", "description": ["x"], "colour": "red"}'
    assert [field for field, _ in faults(body)] == ["userId", "amount", "description", "colour"]
    assert faults(b"{}") == [("userId", "is required"), ("amount", "is required")]


def test_a_body_of_countless_faults_is_not_answered_with_all_of_them() -> None:
    body = json.dumps({f"{number}" * 200: 1 for number in range(1000)}).encode()
    assert len(faults(body)) == 100
    assert max(len(field) for field, _ in faults(body)) <= 101


def test_however_often_a_key_comes_looking_for_it_is_quick() -> None:
    """Each key compared with each would take minutes."""
    body = b'{"userId": "alice", ' + b",".join([b'"a":1'] * 150_000) + b', "amount": 1, "amount": 2}'
    assert faults(body) == [("a", "is unknown"), ("amount", "must be given once")]


ONCE = {"userId": '"alice"', "amount": "1", "description": '"a book"'}


def twice(name: str, *, first: str | None = None, value: str | None = None) -> bytes:
    pairs = [*ONCE.items(), (first or name, value or ONCE[name])]
    return ("{" + ", ".join(f'"{name}" : {value}' for name, value in pairs) + "}").encode()


@pytest.mark.parametrize("name", ONCE)
def test_a_key_that_comes_twice_is_named(name: str) -> None:
    assert blame(twice(name)) == (name, "must be given once")
    assert blame(twice(name, value='""' if name == "description" else None)) == (name, "must be given once")


def test_a_key_that_comes_twice_is_found_behind_escapes() -> None:
    assert blame(twice("amount", first="\\u0061mount")) == ("amount", "must be given once")


@pytest.mark.parametrize(
    "body",
    [
        b'{"userId": "amount", "amount": 1, "description": "userId"}',
        b'{"userId": "a", "amount": 1, "description": "\\"amount\\": 2, \\"amount\\": 3"}',
        b'{"userId": "description", "amount": 1, "description": "description"}',
    ],
)
def test_a_value_that_reads_like_a_key_is_none(body: bytes) -> None:
    assert decode_body(body, PlaceOrder).amount.minor == 100
    assert [type(item) for item in decode_items(b"[%b,%b]" % (body, body), PlaceOrderItem).items] == [
        PlaceOrderItem,
        PlaceOrderItem,
    ]


@pytest.mark.parametrize("name", ["userId", "amount", "description", "idempotencyKey"])
def test_of_a_batch_only_the_item_whose_key_comes_twice_is_refused(name: str) -> None:
    """The others leave fields out, so that counting all names would find no more than items."""
    least = b'{"userId": "alice", "amount": 1}'
    once = b'{"userId": "alice", "amount": 1, "description": "", "idempotencyKey": null}'
    value = {"userId": b'"bob"', "amount": b"1000", "description": b'""', "idempotencyKey": b"null"}[name]
    repeated = once[:-1] + b', "%b": %b}' % (name.encode(), value)
    items = decode_items(b"[" + b",".join([least, once, repeated, least, least]) + b"]", PlaceOrderItem).items
    assert [isinstance(item, Invalid) for item in items] == [False, False, True, False, False]
    assert isinstance(items[2], Invalid)
    assert [(error.field, error.message) for error in items[2].errors] == [(name, "must be given once")]


def test_a_byte_order_mark_in_front_is_ignored() -> None:
    body = b'\xef\xbb\xbf{"userId": "alice", "amount": 1}'
    assert decode_body(body, PlaceOrder).user_id == "alice"
    (item,) = decode_items(b"\xef\xbb\xbf[" + body[3:] + b"]", PlaceOrderItem).items
    assert isinstance(item, PlaceOrderItem)
    assert blame(b"\xef\xbb\xbf") == blame(b"") == ("body", "is required")


def test_of_a_batch_that_is_too_long_no_item_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(body, "_decode_item", look)
    with pytest.raises(Invalid) as invalid:
        decode_items(b"[" + b"1," * 1000 + b"1]", PlaceOrderItem)
    assert [error.field for error in invalid.value.errors] == ["body"]

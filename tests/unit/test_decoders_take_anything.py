"""Whatever comes from outside, a decoder reads it, or raises the one error that it declares, and soon."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import orders.wire
import payments.wire
from gateway.adapters.inbound.events import place_of
from gateway.adapters.inbound.prefer import WAIT_MAX_S, wait_s
from gateway.settings import GatewaySettings
from kernel.adapters import request_id, trace_context
from kernel.adapters.cloudevents import Decoders, decode_events, message_of
from kernel.adapters.http.conventions.conditional import conditional
from kernel.adapters.http.conventions.problem import error_answer
from kernel.adapters.http.middleware.proxies import origin_of
from kernel.adapters.http.parsing.body import decode_body, decode_items
from kernel.adapters.networks import Networks, parsed
from kernel.domain.errors import Invalid
from kernel.domain.events import Received
from kernel.environment import load_settings
from kernel.ports.bus import Unreadable
from kernel.settings import Settings, SettingsError, variables
from orders.contract.http import PlaceOrder, PlaceOrderItem
from orders.settings import OrdersSettings
from payments.contract.http import AdmissionRequest, Deposit, OpenAccount
from payments.settings import PaymentsSettings
from tests.builders import TRACE, TRACE_ID
from tests.contracts.golden import GOLDEN
from tests.unit.bent import bent, fuzzed, header

ORDER = b'{"userId": "alice", "amount": 12.50, "description": "a \\"book\\""}'
ITEM = b'{"userId": 7, "amount": "1.00", "idempotencyKey": "k 1", "payBy": "2026-01-01T00:00:00+01:00"}'
ID = "01970000-0000-7000-8000-000000000000"
PEER = "10.0.0.1"


def of_items(body: bytes) -> None:
    for item in decode_items(body, PlaceOrderItem).items:
        if isinstance(item, Invalid):
            is_answered(item)


def is_answered(error: Invalid) -> None:
    answer = error_answer(error, "/orders")
    assert 400 <= answer.status < 500
    assert msgspec.json.decode(answer.body)["errors"]


BODIES: Mapping[str, tuple[Callable[[bytes], Any], list[bytes]]] = {
    "order": (lambda body: decode_body(body, PlaceOrder), [ORDER]),
    "account": (lambda body: decode_body(body, OpenAccount), [b'{"userId": "alice"}', b'{"userId": 5}']),
    "deposit": (lambda body: decode_body(body, Deposit), [b'{"amount": 5}', b'{"amount": "0.05"}']),
    "batch": (of_items, [b"[" + ITEM + b", " + ITEM + b"]", b"[{}]"]),
    "admission": (lambda body: decode_body(body, list[AdmissionRequest]), [b'[{"userId":"a","amount":1}]']),
    "changes": (lambda body: decode_body(body, list[UUID]), [f'["{ID}", "{ID}"]'.encode()]),
}


@pytest.mark.parametrize("name", BODIES)
@fuzzed
@given(data=st.data())
def test_a_body_is_read_or_the_fields_to_blame_are_named(name: str, data: st.DataObject) -> None:
    read, samples = BODIES[name]
    try:
        read(data.draw(bent(samples)))
    except Invalid as error:
        is_answered(error)


CONSUMERS: Mapping[str, Decoders[Any]] = {"orders": orders.wire.DECODERS, "payments": payments.wire.DECODERS}
EVENTS = [path.read_bytes() for path in sorted(GOLDEN.glob("*.v1.json"))]


@pytest.mark.parametrize("service", CONSUMERS)
@fuzzed
@given(bent([*EVENTS, b"[" + b",".join(EVENTS) + b"]"]))
@example(b"[" * 100_000)
@example(b"[" + b",".join(EVENTS).replace(b'"subject": "', b'"subject": "\xff') + b"]")
@example(b"[" + b",".join(EVENTS).replace(b'"userId": "', b'"userId": "\xff') + b"]")
def test_a_message_is_read_set_aside_or_unreadable(service: str, body: bytes) -> None:
    with suppress(Unreadable):
        for item in decode_events(body, CONSUMERS[service]):
            assert isinstance(item, Received) or item.reason
            assert message_of(item.payload) == item.message


@fuzzed
@given(bent([b"wait=10", b'respond-async, wait="5"; x="a, b"', b"WAIT = 7"]))
def test_a_preference_is_a_bounded_wait_or_none(text: bytes) -> None:
    seconds = wait_s(header(text))
    assert seconds is None or 0 <= seconds <= WAIT_MAX_S


@fuzzed
@given(bent([b"1", b"17", b"999999999"]))
def test_the_id_of_the_last_event_is_a_small_number_or_the_beginning(text: bytes) -> None:
    assert 0 <= place_of(header(text)) < 10**9


@fuzzed
@given(bent([TRACE.encode(), f"{TRACE}, -, {TRACE}".encode()]))
def test_a_trace_is_a_valid_one_or_new(text: bytes) -> None:
    of_call = trace_context.traceparent(header(text))
    of_items = trace_context.from_list(header(text), count=3, default=TRACE)
    assert [
        one for one in (of_call, *of_items) if not re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-..", one)
    ] == []


@fuzzed
@given(bent([b"call-1", b"a,~,b:/+=._-", b"A" * 128]))
def test_the_id_of_a_call_is_one_harmless_word(text: bytes) -> None:
    ids = request_id.from_list(header(text), traceparents=[TRACE] * 3, default="")
    for own in (request_id.valid(header(text)) or TRACE_ID, *ids):
        assert re.fullmatch(r"[A-Za-z0-9._:/+=-]{1,128}", own)


@fuzzed
@given(bent([b'"2f7a4c1be09d8356"', b'W/"a", "b"', b"*"]))
def test_tags_match_or_do_not(text: bytes) -> None:
    assert conditional(decode_body(ORDER, PlaceOrder), header(text)).status_code in (None, 200, 304)


FORWARDED = [
    b'for=203.0.113.7;proto=https;host=shop.example, for="[2001:db8::17]:4711"',
    b"for=_hidden, for=unknown",
]
LISTS = [b"203.0.113.7, 10.0.0.2", b"https, http", b"shop.example:8443, [::1]:80", b"/a, /b/"]


@fuzzed
@given(data=st.data())
def test_headers_of_proxies_are_an_address_a_scheme_a_host_and_a_path_or_nothing(data: st.DataObject) -> None:
    names = ("for", "proto", "host", "prefix")
    told = {f"x-forwarded-{name}": header(data.draw(bent(LISTS))) for name in names}
    if data.draw(st.booleans()):
        told["forwarded"] = header(data.draw(bent(FORWARDED)))
    origin = origin_of(PEER, told, Networks("10.0.0.0/8"))
    assert parsed(origin.address) is not None
    assert origin.scheme in ("", "http", "https")
    assert re.fullmatch(r"[A-Za-z0-9._:\[\]-]*", origin.host)
    assert re.fullmatch(r"(/[A-Za-z0-9._~%+@-]+)*", origin.prefix)


VALUES = [
    *(
        b"postgresql://u:s3cretword@a:5432,b/orders?sslmode=verify-full",
        b"amqp://u:s3cretword@h:5672/v?heartbeat=5,amqps://h",
    ),
    *(b"http://host:5001", b"https://shop.example,http://b", b"127.0.0.1", b"10.0.0.0/8, fd00::/8", b"RUB"),
    *(b"jwt", b"5003", b"/shop", b"s" * 32 + b"," + b"t" * 32, b"/dev/null", b"on", b"INFO"),
]


@pytest.mark.parametrize("kind", [GatewaySettings, OrdersSettings, PaymentsSettings])
@fuzzed
@given(data=st.data())
def test_a_setting_is_taken_or_named_without_its_value(kind: type[Settings], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(variables(kind))))
    # An environment holds no NUL, and bytes that are not UTF-8 as halves of surrogate pairs.
    text = data.draw(bent(VALUES)).replace(b"\x00", b"").decode(errors="surrogateescape")
    said = name
    try:
        load_settings(kind, {name: text})
    except SettingsError as error:
        said = str(error)
    assert said.startswith(name)
    assert said.isprintable()
    assert "s3cret" not in said


LONG = 200_000
READERS: Mapping[str, Callable[[str], object]] = {
    "Prefer": wait_s,
    "Last-Event-ID": place_of,
    "traceparent": trace_context.traceparent,
    "X-Request-Id": request_id.valid,
    "If-None-Match": lambda text: conditional(decode_body(ORDER, PlaceOrder), text),
    "Forwarded": lambda text: origin_of(PEER, {"forwarded": text}, Networks("10.0.0.0/8")),
    "X-Forwarded-For": lambda text: origin_of(PEER, {"x-forwarded-for": text}, Networks("10.0.0.0/8")),
    "a body": lambda text: decode_items(text.encode(), PlaceOrderItem),
    "a message": lambda text: decode_events(text.encode(), orders.wire.DECODERS),
}


@pytest.mark.parametrize("name", READERS)
def test_no_head_keeps_a_reader_busy(name: str) -> None:
    """Longer than a head may be, so that a second look at each place takes minutes; of any fragment that a
    reader might look at twice."""
    parts = ('"', '\\"', 'a="', "a=a;", "wait=", '"a",', "W/", " ", ",", "[", '{"a":', "10.0.0.1,", "9")
    around = [("", part, "x") for part in parts]
    around += [
        ('"', '\\"', ""),
        ("wait=", "0", "x"),
        ("wait", " ", "x"),
        ("", "a=a;", '"'),
        ("a=a;", " ", "x"),
    ]
    for begin, part, end in around:
        with suppress(Invalid, Unreadable):
            READERS[name](begin + part * (LONG // len(part)) + end)

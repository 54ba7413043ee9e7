"""A header in several lines is a list, or refused: never one of them by luck."""

import json
from typing import Any

import pytest

from kernel.adapters.http.middleware.repeated_headers import join_repeated
from tests.unit.kernel.adapters.http.asgi import answered

Lines = list[tuple[bytes, bytes]]


async def through(lines: Lines) -> tuple[Lines | None, list[Any]]:
    """The headers as the application sees them, if it is called, and what was sent."""
    seen: list[Lines] = []

    async def app(scope: Any, *_: Any) -> None:
        seen.append(scope["headers"])

    sent = await answered(join_repeated(app), lines)
    return (seen[0] if seen else None), sent


async def test_lines_of_a_list_are_joined_in_their_order() -> None:
    lines = [(b"if-none-match", b'"a"'), (b"accept", b"a/b"), (b"if-none-match", b'"b"'), (b"x-mine", b"1"),
             (b"x-mine", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]  # fmt: skip
    seen, sent = await through(lines)
    assert seen == [
        (b"if-none-match", b'"a", "b"'), (b"accept", b"a/b"), (b"x-mine", b"1, 2"), (b"cookie", b"a=1; b=2"),
    ]  # fmt: skip
    assert sent == []


async def test_headers_that_come_once_are_left_alone() -> None:
    lines = [(b"accept", b"a/b"), (b"idempotency-key", b"k")]
    assert (await through(lines))[0] is lines


@pytest.mark.parametrize(
    "name", ["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Origin"]
)
async def test_a_single_value_that_comes_twice_is_refused_and_named_though_both_are_equal(name: str) -> None:
    seen, (start, body) = await through([(name.lower().encode(), b"1"), (name.lower().encode(), b"1")])
    assert seen is None
    assert start["status"] == 400
    assert json.loads(body["body"])["errors"] == [{"field": name, "message": "must be given once"}]

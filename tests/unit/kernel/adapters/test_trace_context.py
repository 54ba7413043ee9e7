"""The trace of a call: the caller's where it is valid (W3C Trace Context, section 3.2), else a new one."""

import re

import pytest

from kernel.adapters.trace_context import from_list, list_of, traceparent

VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


@pytest.mark.parametrize("header", [VALID, VALID[:-2] + "00", VALID[:-2] + "ff"])
def test_a_valid_header_is_kept(header: str) -> None:
    assert traceparent(header) == header


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        VALID.upper(),
        VALID + "-extra",
        VALID + "\n",
        " " + VALID,
        "ff" + VALID[2:],
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        VALID[:-1],
        VALID.replace("a", "g"),
    ],
)
def test_any_other_header_starts_a_new_trace_that_nobody_samples(header: str | None) -> None:
    new = traceparent(header)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", new)
    assert new != traceparent(header)
    assert traceparent(new) == new


@pytest.mark.parametrize("count", [1, 2, 100, 101, 200])
def test_the_traces_of_a_batch_are_told_in_lines_below_8_kib(count: int) -> None:
    values = [VALID if number % 2 == 0 else "" for number in range(count)]
    headers = list_of(values)
    assert all(len(f"{name}: {line}") < 8192 for name, line in headers)
    for comma in (",", ", "):
        assert from_list(comma.join(line for _, line in headers), count=count, default="") == values


def test_a_batch_without_traces_tells_none() -> None:
    assert list_of(["", ""]) == []


@pytest.mark.parametrize("header", [None, VALID, f"{VALID},{VALID},{VALID}"])
def test_a_list_that_does_not_fit_the_batch_is_of_no_use(header: str | None) -> None:
    assert from_list(header, count=2, default=OTHER) == [OTHER, OTHER]


def test_an_item_without_a_valid_trace_has_that_of_the_call() -> None:
    assert from_list(f"garbage,{VALID},-", count=3, default=OTHER) == [OTHER, VALID, OTHER]

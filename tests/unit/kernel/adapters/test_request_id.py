"""The id of a call: the client's where it is one, else that of the trace."""

import pytest

from kernel.adapters.request_id import from_list, list_of, valid
from tests.builders import TRACE, TRACE_ID


@pytest.mark.parametrize("own", ["a", "-", "a" * 128, "Root=1-67891233:abc/def+ghi_jkl.mno"])
def test_an_id_of_the_client_is_kept(own: str) -> None:
    assert valid(own) == own


@pytest.mark.parametrize("other", ["", "a" * 129, "a b", "a,b", "a\n", "é", '"a"', "a;b", "\x1b[2J", None, 5])
def test_a_malformed_id_of_a_call_is_none(other: object) -> None:
    assert valid(other) == ""


@pytest.mark.parametrize("count", [1, 2, 50, 51, 200])
def test_the_ids_of_a_batch_are_told_in_lines_below_8_kib(count: int) -> None:
    values = ["-" if number % 3 == 0 else f"{number:0128}" for number in range(count)]
    headers = list_of(values)
    assert all(len(f"{name}: {line}") < 8192 for name, line in headers)
    for comma in (",", ", "):
        header = comma.join(line for _, line in headers)
        assert from_list(header, traceparents=[TRACE] * count, default="") == values


def test_an_item_without_an_id_has_that_of_its_trace() -> None:
    header = list_of(["", "mine"])[0][1]
    assert from_list(header, traceparents=[TRACE, TRACE], default="") == [TRACE_ID, "mine"]


@pytest.mark.parametrize("header", [None, "a", "a,b,c"])
def test_a_list_that_does_not_fit_the_batch_is_of_no_use(header: str | None) -> None:
    assert from_list(header, traceparents=[TRACE, TRACE], default="all") == ["all", "all"]


def test_a_batch_without_ids_tells_none() -> None:
    assert list_of(["", ""]) == []

"""The trace of a call: the caller's where it is valid (W3C Trace Context, section 3.2), else a new one."""

import re

import pytest

from kernel.adapters.http.trace import traceparent

VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


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

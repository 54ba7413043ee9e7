"""`Prefer: wait=N`, as RFC 7240 lets clients write it."""

import pytest

from gateway.adapters.inbound.prefer import wait_s


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("wait=0", 0),
        ("WAIT=5", 5),
        ('wait="5"', 5),
        ("wait = 5", 5),
        ("wait=005", 5),
        ("wait=30", 30),
        ("wait=31", 30),
        ("wait=999999999", 30),
        ("respond-async, wait=10", 10),
        ('return=minimal; foo="some, parameter", wait=7;x=1', 7),
        ('x="wait=3", wait=4', 4),
        ('x="a\\", wait=3", wait=4', 4),
        ("wait=1, wait=2", 1),
        ("wait=soon, wait=2", None),
        ("", None),
        ("wait", None),
        ("wait=", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=٣", None),
        ("wait=1 2", None),
        ('wait="5', None),
        ("waiting=5", None),
        ("await=5", None),
        ("wait=1000000000", 30),
        ('wait="00000000000000000007"', 7),
        (f"wait={'9' * 5000}", 30),
        (", , wait=7,", 7),
        ('x="never closed, wait=3', None),
    ],
)
def test_the_wait_is_read_where_it_can_be_and_ignored_where_not(header: str, seconds: int | None) -> None:
    assert wait_s(header) == seconds

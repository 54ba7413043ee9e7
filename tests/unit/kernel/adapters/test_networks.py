"""Whom an address stands for, where limits count by it."""

import pytest

from kernel.adapters.networks import subscriber_of


@pytest.mark.parametrize(
    ("address", "subscriber"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::7", "2001:db8:0:2::/64"),
        ("fe80::7%eth0", "fe80::/64"),
        ("a name", "a name"),
        ("", ""),
    ],
)
def test_of_ipv6_a_subscriber_has_a_64_and_of_ipv4_an_address(address: str, subscriber: str) -> None:
    assert subscriber_of(address) == subscriber

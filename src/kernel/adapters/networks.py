"""Parses a setting that lists networks, and finds the key by which a caller's calls are limited."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any


class Networks:
    """IP networks from a text that separates them by commas. A single address is a network of one address."""

    def __init__(self, text: str = "") -> None:
        """Raises ValueError for a text that is not a list of networks."""
        self._text = text
        self._networks = tuple(ip_network(part.strip()) for part in text.split(",") if text)

    def __str__(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._networks)

    @lru_cache(4096)  # noqa: B019  # these objects live as long as the process
    def hold(self, address: str) -> bool:
        known = parsed(address)
        return known is not None and any(known in network for network in self._networks)


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Parses an IP address. Returns None if the text is not an address."""
    try:
        known = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows an IPv4 address as an IPv4-mapped IPv6 address.
    return getattr(known, "ipv4_mapped", None) or known


@lru_cache(4096)
def subscriber_of(address: str) -> str:
    """The key for limits by address. For IPv6 it is the /64 network, because one subscriber has all of it."""
    known = parsed(address)
    if isinstance(known, IPv6Address):
        return str(IPv6Network((int(known), 64), strict=False))
    return address if known is None else str(known)


def subscriber_in(scope: Mapping[str, Any]) -> str:
    """The key of a call for limits by address; empty without a limit, as for a trusted proxy's own calls."""
    client = scope.get("client")
    return subscriber_of(client[0]) if client else ""

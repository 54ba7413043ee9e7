from collections.abc import Mapping
from typing import Any

from kernel.adapters.networks import subscriber_of


def subscriber_in(scope: Mapping[str, Any]) -> str:
    """The address that limits count; empty if limits do not apply, as for calls of a trusted proxy."""
    client = scope.get("client")
    return subscriber_of(client[0]) if client else ""

"""Decodes a message of a dead-letter queue, with the broker's record of why it became a dead letter."""

from datetime import datetime
from typing import Any

from faststream.message import StreamMessage

from kernel.ports.bus import UNREADABLE, DeadLetter

# The broker says "rejected" of a message that its consumer rejected as unreadable.
_REASONS = {"rejected": UNREADABLE}


async def dead_letter(message: StreamMessage[Any]) -> DeadLetter:
    """The letter's `death` is the same at every delivery."""
    body: bytes = message.body
    death = _last_death(message.headers)
    reason = str(death.get("reason", "unknown"))
    at = death.get("time")
    when = f"{at.isoformat()} {death.get('count')}" if isinstance(at, datetime) else ""
    return DeadLetter(body, _routing_key(death), _REASONS.get(reason, reason), when)


def _last_death(headers: dict[str, Any]) -> dict[str, Any]:
    """The newest `x-death` entry (https://www.rabbitmq.com/docs/dlx#effects); {} for a message that was put
    into this queue by hand."""
    deaths = headers.get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}


def _routing_key(death: dict[str, Any]) -> str:
    """The first routing key, for which the broker checked the publisher's permission. It is empty for a
    message that bypassed the exchange."""
    keys = death.get("routing-keys")
    return str(keys[0]) if death.get("exchange") and isinstance(keys, list) and keys else ""

"""A message of a dead-letter queue, and what the broker says of its death."""

from datetime import datetime
from typing import Any

from faststream.message import StreamMessage

from kernel.ports.bus import UNREADABLE, DeadLetter

# What a broker says of a message that its consumer called unreadable.
_REASONS = {"rejected": UNREADABLE}


async def dead_letter(message: StreamMessage[Any]) -> DeadLetter:
    """Its death is the same each time that it is delivered."""
    body: bytes = message.body
    death = _last_death(message.headers)
    reason = str(death.get("reason", "unknown"))
    at = death.get("time")
    when = f"{at.isoformat()} {death.get('count')}" if isinstance(at, datetime) else ""
    return DeadLetter(body, _routing_key(death), _REASONS.get(reason, reason), when)


def _last_death(headers: dict[str, Any]) -> dict[str, Any]:
    """How it came here (https://www.rabbitmq.com/docs/dlx#effects); {} for one put here by hand."""
    deaths = headers.get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}


def _routing_key(death: dict[str, Any]) -> str:
    """The first one, which the broker held against its publisher's rights; none where it came past the
    exchange."""
    keys = death.get("routing-keys")
    return str(keys[0]) if death.get("exchange") and isinstance(keys, list) and keys else ""

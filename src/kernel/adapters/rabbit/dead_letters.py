"""Decodes a message of a dead-letter queue, with the broker's record of why it became a dead letter."""

from datetime import datetime
from typing import Any

from faststream.message import StreamMessage

from kernel.ports.bus import UNREADABLE, DeadLetter

# Maps a reason of the broker to a reason of the shop. Consumers reject only unreadable messages.
_REASONS = {"rejected": UNREADABLE}


async def dead_letter(message: StreamMessage[Any]) -> DeadLetter:
    """Decodes a message into a DeadLetter, whose `death` is the same at every delivery of the message."""
    body: bytes = message.body
    death = _last_death(message.headers)
    reason = str(death.get("reason", "unknown"))
    at = death.get("time")
    when = f"{at.isoformat()} {death.get('count')}" if isinstance(at, datetime) else ""
    return DeadLetter(body, _routing_key(death), _REASONS.get(reason, reason), when)


def _last_death(headers: dict[str, Any]) -> dict[str, Any]:
    """The newest entry of the header `x-death` (https://www.rabbitmq.com/docs/dlx#effects). {} if there
    is none, as in a message that was put into the dead-letter queue by hand."""
    deaths = headers.get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}


def _routing_key(death: dict[str, Any]) -> str:
    """The message's first routing key, for which the broker checked the publisher's permission. The key is
    empty for a message from the default exchange, where the broker checks none."""
    keys = death.get("routing-keys")
    return str(keys[0]) if death.get("exchange") and isinstance(keys, list) and keys else ""

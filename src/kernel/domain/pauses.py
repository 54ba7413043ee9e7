"""The pause of a service's consumer, which operators begin and end."""

from datetime import datetime

from kernel.domain.value import value


@value(kw_only=True)
class Pause:
    by: str
    note: str
    since: datetime


@value(kw_only=True)
class ConsumerState:
    service: str
    pause: Pause | None
    """None while the consumer takes messages."""

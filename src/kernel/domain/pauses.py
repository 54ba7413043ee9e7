"""A consumer that takes no messages, because an operator said so."""

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
    """None while it takes messages."""

"""What waits for an operator, in words."""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby, islice

from rich.console import Console

from kernel.domain.text import harmless
from shop.console import shown
from shop.dead_letters.acting import Chosen
from shop.dead_letters.listing import Group, Listing, Message, group_key

# Of each group; `--json` has them all.
SHOWN_MAX = 5


def show(listing: Listing, console: Console) -> None:
    if not listing.groups:
        console.print("[green]No message waits for an operator.")
    for group, (_, same) in zip(listing.groups, groupby(listing.messages, group_key), strict=True):
        console.print(_heading(group), soft_wrap=True)
        messages = list(same)
        for message in islice(messages, SHOWN_MAX):
            console.print(_line(message), soft_wrap=True, highlight=False)
        if len(messages) > SHOWN_MAX:
            console.print(f"  … and {len(messages) - SHOWN_MAX} more, which --json lists")
    if listing.more:
        console.print("There are more than were looked at: --limit raises the number.")
    if not listing.dead_letters_read:
        console.print("No RABBITMQ_URL: dead-letter queues were not looked at.")


def in_words(chosen: Iterable[Chosen]) -> str:
    """How many messages, and of which reasons."""
    reasons = sum((some.reasons for some in chosen), Counter[str]())
    listed = ", ".join(f"{harmless(reason)}: {count}" for reason, count in sorted(reasons.items()))
    return f"{_messages(reasons.total())} ({listed})"


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"


def _heading(group: Group) -> str:
    times = f", {group.count} times" if group.count > group.messages else ""
    types = ", ".join(shown(name) or "no type" for name in group.types)
    return (
        f"[bold]{group.service}, {group.place}, {shown(group.reason)}[/]:"
        f" {_messages(group.messages)}{times}, since {group.oldest_at:%Y-%m-%dT%H:%M:%SZ}, {types}"
    )


def _line(message: Message) -> str:
    times = f" ({message.count} times)" if message.count > 1 else ""
    subject = shown(message.subject) or "no subject"
    return f"  {message.id}{times}  {subject}  {shown(' '.join(message.detail.split()))}"

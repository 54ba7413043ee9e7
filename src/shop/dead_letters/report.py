"""Parked messages and their groups, for people."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from rich.console import Console

from kernel.contracts.parked import ParkedGroup, ParkedMessage
from kernel.domain.text import harmless
from shop.console import shown
from shop.dead_letters.acting import Chosen, Listing

# Messages of each group; `--json` has them all.
SHOWN_MAX = 5


def show(listing: Listing, console: Console) -> None:
    show_groups(listing.groups, console, listing.messages)
    if listing.more:
        console.print("There are more than were looked at: --limit raises the number.")


def show_groups(
    groups: Sequence[ParkedGroup], console: Console, listed: Sequence[ParkedMessage] = ()
) -> None:
    if not any(group.messages for group in groups):
        console.print("[green]No message waits for an operator.")
    for group in groups:
        console.print(_heading(group))
        console.print(f"  group {group.id}{_hold(group)}", highlight=False)
        messages = [message for message in listed if message.group == group.id]
        for message in islice(messages, SHOWN_MAX):
            console.print(_line(message), highlight=False)
        if len(messages) > SHOWN_MAX:
            console.print(f"  … and {len(messages) - SHOWN_MAX} more, which --json lists")


def in_words(chosen: Iterable[Chosen]) -> str:
    """How many messages were chosen, in all and of each reason."""
    reasons = Counter[str]()
    for one in chosen:
        reasons[one.reason] += one.messages
    listed = ", ".join(f"{harmless(reason)}: {count}" for reason, count in sorted(reasons.items()))
    return f"{_messages(reasons.total())} ({listed})"


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"


def _heading(group: ParkedGroup) -> str:
    what = f"[bold]{group.service}, {group.place}, {shown(group.reason)}, {shown(group.type) or 'no type'}[/]"
    if group.oldest_at is None:
        return f"{what}: nothing waits"
    times = f", {group.count} times" if group.count > group.messages else ""
    return f"{what}: {_messages(group.messages)}{times}, since {group.oldest_at:%Y-%m-%dT%H:%M:%SZ}"


def _hold(group: ParkedGroup) -> str:
    if group.held is None:
        return ""
    said = ", ".join(filter(None, (group.held.ticket, group.held.note)))
    return f", held by {shown(group.held.owner)}{f' ({shown(said)})' if said else ''}"


def _line(message: ParkedMessage) -> str:
    times = f" ({message.count} times)" if message.count > 1 else ""
    subject = shown(message.subject) or "no subject"
    return f"  {message.id}{times}  {subject}  {shown(' '.join(message.detail.split()))}"

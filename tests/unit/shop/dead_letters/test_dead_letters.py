"""`shop dead-letters`: what an operator reads, which messages are meant, and what is refused in one line."""

import io
from collections.abc import AsyncGenerator, Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from click.testing import CliRunner
from rich.console import Console

from kernel.domain.events import MessageId, Parked, Unhandled
from shop.cli import cli
from shop.dead_letters.acting import Choice
from shop.dead_letters.listing import PAYLOAD_SHOWN_MAX, Listing, list_messages
from shop.dead_letters.places import Name
from shop.dead_letters.report import SHOWN_MAX, show

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def parked(number: int, reason: str = "order_not_found", *, count: int = 1, payload: bytes = b"{}") -> Parked:
    message = MessageId("/shop/orders", str(number))
    unhandled = Unhandled(message, "shop.t.v1", f"order [{number}]", reason, "there is\nnone", payload)
    at = NOON - timedelta(minutes=number)
    return Parked(UUID(int=number), unhandled, count, at, NOON)


class Place:
    """A place whose messages are given."""

    def __init__(self, service: str, name: Name, *waiting: Parked) -> None:
        self.service = service
        self.name = name
        self._waiting = waiting

    async def messages(self) -> AsyncGenerator[Parked, None]:
        for one in self._waiting:
            yield one

    async def replay(self, ids: Collection[UUID]) -> int:
        raise NotImplementedError

    async def discard(self, ids: Collection[UUID], *, by: str, note: str) -> int:
        raise NotImplementedError


def shown(listing: Listing) -> str:
    text = io.StringIO()
    show(listing, Console(file=text, width=80))
    return text.getvalue()


async def test_messages_are_grouped_by_service_place_and_reason() -> None:
    listing = await list_messages(
        [
            Place("payments", "parked", parked(1, "internal_error")),
            Place("orders", "parked", parked(2), parked(3, "invalid_data"), parked(4, count=5)),
            Place("orders", "dead letters", parked(5)),
        ],
        count_max=10,
    )
    assert [(g.service, g.place, g.reason, g.messages, g.count) for g in listing.groups] == [
        ("orders", "dead letters", "order_not_found", 1, 1),
        ("orders", "parked", "invalid_data", 1, 1),
        ("orders", "parked", "order_not_found", 2, 6),
        ("payments", "parked", "internal_error", 1, 1),
    ]
    assert listing.groups[2].oldest_at == NOON - timedelta(minutes=4)
    assert [message.id.int for message in listing.messages] == [5, 3, 2, 4, 1]
    assert (listing.more, listing.dead_letters_read) == (False, True)


async def test_a_group_is_a_line_and_each_message_is_one_that_names_it() -> None:
    text = shown(
        await list_messages([Place("orders", "parked", parked(2), parked(4, count=5))], count_max=10)
    )
    assert (
        "orders, parked, order_not_found: 2 messages, 6 times, since 2026-01-31T11:56:00Z, shop.t.v1\n"
        in text
    )
    assert f"  {UUID(int=2)}  order [2]  there is none\n" in text
    assert f"  {UUID(int=4)} (5 times)  order [4]  there is none\n" in text
    assert "No RABBITMQ_URL" in text


async def test_of_a_large_group_some_are_shown_and_all_are_counted() -> None:
    many = [parked(number) for number in range(SHOWN_MAX + 3)]
    text = shown(await list_messages([Place("orders", "dead letters", *many)], count_max=100))
    assert text.count("there is none") == SHOWN_MAX
    assert "… and 3 more" in text
    assert "RABBITMQ_URL" not in text
    assert "--limit" not in text


async def test_no_more_than_asked_for_is_looked_at_and_that_is_told() -> None:
    places = [Place("orders", "parked", parked(1), parked(2)), Place("payments", "parked", parked(3))]
    listing = await list_messages(places, count_max=1)
    assert [message.id.int for message in listing.messages] == [1, 3]
    assert listing.more
    assert "--limit" in shown(listing)


async def test_nothing_that_waits_is_told_as_such() -> None:
    text = shown(
        await list_messages([Place("orders", "parked"), Place("orders", "dead letters")], count_max=1)
    )
    assert text == "No message waits for an operator.\n"


async def test_of_a_payload_its_beginning_is_told_whatever_it_is() -> None:
    payload = b"\xff\x00" + b"x" * PAYLOAD_SHOWN_MAX
    listing = await list_messages([Place("orders", "parked", parked(1, payload=payload))], count_max=1)
    (message,) = listing.messages
    assert message.size == len(payload)
    assert message.payload == "\N{REPLACEMENT CHARACTER}\x00" + "x" * (PAYLOAD_SHOWN_MAX - 2)


def test_a_choice_means_ids_or_a_reason_or_all() -> None:
    one, other = parked(1), parked(2, "internal_error")
    chosen = [
        [message for message in (one, other) if choice.covers(message)]
        for choice in (
            Choice(ids=frozenset({one.id})),
            Choice(reason="internal_error"),
            Choice(everything=True),
        )
    ]
    assert chosen == [[one], [other], [one, other]]


@pytest.mark.parametrize("command", ["replay", "discard"])
@pytest.mark.parametrize(
    "arguments",
    [[], ["--all", "--reason", "r"], ["--all", str(UUID(int=1))], [str(UUID(int=1)), "--reason", "r"]],
)
def test_which_messages_are_meant_is_said_in_exactly_one_way(command: str, arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, ["dead-letters", command, *arguments])
    assert result.exit_code == 2
    assert result.output.splitlines()[-1].startswith("Error: Say which")


def test_an_id_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(cli, ["dead-letters", "replay", "42"])
    assert result.exit_code == 2
    assert "'42' is not a valid UUID" in result.output


def test_without_a_terminal_discarding_wants_to_be_told_yes() -> None:
    result = CliRunner().invoke(cli, ["dead-letters", "discard", "--all"])
    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)
    assert "--yes" in result.output

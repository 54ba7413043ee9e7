"""`shop dead-letters`: what an operator reads, which messages are meant, and what is refused in one line."""

import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from click.testing import CliRunner

from kernel.contracts.parked import ParkedGroup, ParkedMessage, group_body, message_body
from kernel.domain.parked import Cause, Figures, Group, Hold, Waiting
from shop.cli import cli
from shop.console import new_console
from shop.dead_letters.acting import Chosen, Listing
from shop.dead_letters.report import SHOWN_MAX, in_words, show

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CAUSE = Cause(dead_letter=False, type="shop.t.v1", reason="order_not_found")


def waiting(number: int, *, count: int = 1, payload: bytes = b"{}") -> Waiting:
    return Waiting(
        id=UUID(int=number),
        cause=CAUSE,
        subject=f"order [{number}]",
        detail="there is\nnone",
        count=count,
        first_parked_at=NOON - timedelta(minutes=number),
        last_parked_at=NOON,
        size=len(payload),
        beginning=payload,
    )


def group(*messages: Waiting, hold: Hold | None = None) -> ParkedGroup:
    figures = Figures(
        messages=len(messages),
        count=sum(message.count for message in messages),
        oldest_at=min(message.first_parked_at for message in messages),
        newest_at=NOON,
        sample=messages[0],
    )
    return group_body(
        Group(id=CAUSE.id_in("orders"), service="orders", cause=CAUSE, figures=figures, hold=hold)
    )


def listing(*messages: Waiting, more: bool = False, hold: Hold | None = None) -> Listing:
    bodies = [message_body(message, "orders") for message in messages]
    return Listing([group(*messages, hold=hold)] if messages else [], bodies, more)


def shown(one: Listing) -> str:
    text = io.StringIO()
    show(one, new_console(text, width=80))
    return text.getvalue()


def test_the_id_of_a_group_is_that_of_what_its_failures_have_in_common_and_of_nothing_else() -> None:
    ids = {
        Cause(dead_letter=dead_letter, type=type_, reason=reason).id_in(service)
        for dead_letter in (True, False)
        for type_ in ("t", "u")
        for reason in ("r", "s")
        for service in ("orders", "payments")
    }
    assert len(ids) == 16
    # Scripts keep it.
    assert str(CAUSE.id_in("orders")) == "f31a8ebc-313d-5d11-ac2f-5def926f4c42"


def test_a_group_is_a_line_with_its_id_and_each_message_is_one_that_names_it() -> None:
    text = shown(listing(waiting(2), waiting(4, count=5)))
    assert (
        "orders, parked, order_not_found, shop.t.v1: 2 messages, 6 times, since 2026-01-31T11:56:00Z\n"
        in text
    )
    assert f"  group {CAUSE.id_in('orders')}\n" in text
    assert f"  {UUID(int=2)}  order [2]  there is none\n" in text
    assert f"  {UUID(int=4)} (5 times)  order [4]  there is none\n" in text


def test_the_list_tells_who_looks_after_a_group() -> None:
    hold = Hold(owner="ada", note="a fix", ticket="OPS-7", held_by="bob", held_at=NOON)
    assert ", held by ada (OPS-7, a fix)\n" in shown(listing(waiting(1), hold=hold))


def test_a_group_that_is_held_for_what_is_to_come_is_told_as_empty() -> None:
    hold = Hold(owner="ada", note="", ticket="", held_by="bob", held_at=NOON)
    empty = Group(id=CAUSE.id_in("orders"), service="orders", cause=CAUSE, figures=None, hold=hold)
    text = shown(Listing([group_body(empty)], [], more=False))
    assert "No message waits for an operator.\n" in text
    assert "orders, parked, order_not_found, shop.t.v1: nothing waits\n" in text
    assert ", held by ada\n" in text


def test_of_a_large_group_some_are_shown_and_all_are_counted() -> None:
    text = shown(listing(*map(waiting, range(SHOWN_MAX + 3))))
    assert text.count("there is none") == SHOWN_MAX
    assert "… and 3 more" in text
    assert "--limit" not in text


def test_the_list_tells_that_there_are_more_messages_than_it_looked_at() -> None:
    assert "--limit" in shown(listing(waiting(1), more=True))


def test_nothing_that_waits_is_told_as_such() -> None:
    assert shown(listing()) == "No message waits for an operator.\n"


def test_of_a_payload_its_beginning_is_told_whatever_it_is() -> None:
    payload = b"\xff\x00" + b"x" * 100
    message: ParkedMessage = message_body(waiting(1, payload=payload), "orders", payload_bytes=10)
    assert (message.size, message.payload) == (102, "\N{REPLACEMENT CHARACTER}\x00" + "x" * 8)


def test_the_question_counts_what_is_to_be_discarded_by_reason() -> None:
    id = UUID(int=1)
    chosen = [
        Chosen("orders", id, "b", 2, is_group=True),
        Chosen("payments", id, "a\n"),
        Chosen("x", id, "b"),
    ]
    assert in_words(chosen) == "4 messages (a\\n: 1, b: 3)"


@pytest.mark.parametrize("command", ["replay", "discard"])
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--all", "--reason", "r"],
        ["--all", str(UUID(int=1))],
        [str(UUID(int=1)), "--reason", "r"],
        [str(UUID(int=1)), "--group", str(UUID(int=1))],
    ],
)
def test_which_messages_are_meant_is_said_in_exactly_one_way(command: str, arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, ["dead-letters", command, *arguments])
    assert result.exit_code == 2
    assert result.output.splitlines()[-1].startswith("Error: Say which")


@pytest.mark.parametrize("command", ["replay", "discard", "release"])
def test_an_id_that_is_none_is_refused(command: str) -> None:
    result = CliRunner().invoke(cli, ["dead-letters", command, "42"])
    assert result.exit_code == 2
    assert "'42' is not a valid UUID" in result.output


def test_a_group_is_held_by_somebody() -> None:
    result = CliRunner().invoke(cli, ["dead-letters", "hold", str(UUID(int=1))])
    assert result.exit_code == 2
    assert "Missing option '--owner'" in result.output


def test_without_a_terminal_discarding_wants_to_be_told_yes() -> None:
    result = CliRunner().invoke(cli, ["dead-letters", "discard", "--all", "--note", "a test"])
    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)
    assert "--yes" in result.output

"""What a command prints may hold the words of strangers; none of them reaches the terminal raw."""

import io
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from rich.console import Console

from kernel.contracts.parked import group_body, message_body
from kernel.domain.faults import Fault
from kernel.domain.parked import Cause, Figures, Group, Hold, Waiting
from shop.audit.findings import Findings
from shop.audit.findings import Waiting as UnderWay
from shop.audit.report import show as show_audit
from shop.dead_letters.acting import Listing
from shop.dead_letters.report import show as show_dead_letters
from shop.demo import Step, Story
from shop.demo import show as show_demo
from shop.terminal import say, say_facts

HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b1A\u202e\r\n[red]fake[/red]\\"
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def dead_letters(console: Console) -> None:
    cause = Cause(dead_letter=True, type=HOSTILE, reason=HOSTILE)
    waiting = Waiting(
        id=UUID(int=1),
        cause=cause,
        subject=HOSTILE,
        detail=HOSTILE,
        count=2,
        first_parked_at=NOW,
        last_parked_at=NOW,
        size=1,
        beginning=HOSTILE.encode(),
    )
    figures = Figures(messages=1, count=2, oldest_at=NOW, newest_at=NOW, sample=waiting)
    hold = Hold(owner=HOSTILE, note=HOSTILE, ticket=HOSTILE, held_by=HOSTILE, held_at=NOW)
    group = Group(id=cause.id_in("orders"), service="orders", cause=cause, figures=figures, hold=hold)
    listing = Listing([group_body(group)], [message_body(waiting, "orders")], more=False)
    show_dead_letters(listing, console)


def audit(console: Console) -> None:
    findings = Findings()
    findings.add("orders", [Fault(HOSTILE, "kind", HOSTILE, HOSTILE)])
    report = findings.report({"orders": 1}, UnderWay(0, 0, 0, []), 0)
    show_audit(report, {"orders": "a promise"}, console)


def demo(console: Console) -> None:
    show_demo(Story("demo-1", [Step("deposit", None, HOSTILE, "201")]), console)


@pytest.mark.parametrize("show", [dead_letters, audit, demo], ids=lambda show: show.__name__)
def test_what_strangers_wrote_is_shown_harmless(show: object) -> None:
    text = io.StringIO()
    assert callable(show)
    show(Console(file=text, width=400, emoji=False))
    written = text.getvalue()
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(written)
    assert "[red]fake[/red]" in written


def test_a_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    written = capsys.readouterr().out
    assert written.count("\n") == 1
    assert written.isascii()


def test_facts_are_ascii_and_mean_what_they_meant(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"text": "Заказ 😀 \x7f\x9b\u202e", "amount": 1}
    say_facts(json.dumps(facts, ensure_ascii=False).encode())
    written = capsys.readouterr().out.removesuffix("\n")
    assert written.isascii()
    assert written.isprintable()
    assert json.loads(written) == facts

"""What a command prints may hold the words of strangers; none of them reaches the terminal raw."""

import io
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from rich.console import Console

from gateway.adapters.inbound.ops.explain import explained_body
from gateway.domain.explained import explained
from kernel.contracts.parked import group_body, message_body
from kernel.domain.facts import Fact, Part, What
from kernel.domain.faults import Checked, Fault
from kernel.domain.parked import Cause, Figures, Group, Hold, Waiting
from shop.audit.findings import Findings
from shop.audit.report import show as show_audit
from shop.console import new_console
from shop.dead_letters.acting import Listing
from shop.dead_letters.report import show as show_dead_letters
from shop.demo import Step, Story
from shop.demo import show as show_demo
from shop.explain import show as show_explained
from shop.terminal import say, say_facts

HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b1A\u202e\r\n[red]fake[/red]\\"
NOW = datetime(2026, 11, 29, tzinfo=UTC)


LONG = " ".join(f"{word}.of.many.words" for word in ("one", "another", "third", "fourth", "last"))


def dead_letters(console: Console, text: str = HOSTILE) -> None:
    cause = Cause(dead_letter=True, type=text, reason=text)
    waiting = Waiting(
        id=UUID(int=1),
        cause=cause,
        subject=text,
        detail=text,
        count=2,
        first_parked_at=NOW,
        last_parked_at=NOW,
        size=1,
        beginning=text.encode(),
    )
    figures = Figures(messages=1, count=2, oldest_at=NOW, newest_at=NOW, sample=waiting)
    hold = Hold(owner=text, note=text, ticket=text, held_by=text, held_at=NOW)
    group = Group(id=cause.id_in("orders"), service="orders", cause=cause, figures=figures, hold=hold)
    listing = Listing([group_body(group)], [message_body(waiting, "orders")], more=False)
    show_dead_letters(listing, console)


def audit(console: Console, text: str = HOSTILE) -> None:
    findings = Findings({"orders": Checked("orders", 1)})
    findings.checked["orders"].add([Fault(text, "kind", text, text)])
    show_audit(findings.report(), {"orders": "no order is lost, and none is doubled"}, console)


def demo(console: Console, text: str = HOSTILE) -> None:
    show_demo(Story("demo-1", [Step("deposit", None, text, "201")]), console)


def explain(console: Console, text: str = HOSTILE) -> None:
    facts = [
        Fact(at=NOW, service="orders", what=what, source="orders", detail=detail)
        for what, detail in ((What.STATUS, "NEW"), (What.PARKED, text), (What.IN_OUTBOX, "shop.placed"))
    ]
    parts = {"orders": Part(facts=facts, user_id="ada", trace_id=UUID(int=1))}
    found = explained(parts, {"payments": text}, NOW)
    show_explained(explained_body(UUID(int=2), found), console)


Show = Callable[..., None]
reports = pytest.mark.parametrize("show", [dead_letters, audit, demo, explain])


@reports
def test_a_text_that_strangers_wrote_is_shown_harmless(show: Show) -> None:
    text = io.StringIO()
    show(new_console(text, width=400))
    written = text.getvalue()
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(written)
    assert "[red]fake[/red]" in written


@reports
@pytest.mark.parametrize("width", [20, 80])
def test_every_word_stands_whole_however_narrow_the_terminal(show: Show, width: int) -> None:
    wide, narrow = io.StringIO(), io.StringIO()
    show(new_console(wide, width=1000), LONG)
    show(new_console(narrow, width=width), LONG)
    assert words(wide) == words(narrow)


def words(text: io.StringIO) -> Counter[str]:
    """Without the frames of tables."""
    return Counter(re.findall(r"[\w.:-]+", text.getvalue()))


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

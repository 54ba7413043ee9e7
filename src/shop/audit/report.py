"""The audit for people and programs: a progress bar, then what was checked and what is wrong."""

import asyncio
from collections.abc import Iterator

import msgspec
from rich.console import Console
from rich.table import Table

from kernel.settings import required
from shop.audit.auditing import audit
from shop.audit.findings import Check, Report, Waiting
from shop.console import new_console, new_progress, shown
from shop.services import Shop
from shop.terminal import say_facts

AUDITED = ("orders", "payments")
PROMISES = {
    Check.ACCOUNTS: "a balance is the sum of its transfers, and never negative",
    Check.TRANSFERS: "numbered without a gap, each balance follows from the one before",
    Check.MONEY: "all balances and the revenue are all deposits",
    Check.DECISIONS: "a captured payment has its one transfer, and at most one refund; no other has any",
    Check.HISTORIES: "no gap, no step that is not allowed, and ends as the order is",
    Check.ORDERS: "paid once and as ordered, given back if refunded, not paid if cancelled; none forgotten",
    Check.OUTBOXES: "what waits is published",
}


def run_audit(shop: Shop, *, at_rest: bool, as_json: bool) -> bool:
    """Whether everything is as it should be, in the databases of the settings."""
    report = asyncio.run(_with_progress(shop, at_rest=at_rest))
    if as_json:
        say_facts(msgspec.json.encode(report))
    else:
        show(report, new_console())
    return report.sound


async def _with_progress(shop: Shop, *, at_rest: bool) -> Report:
    with new_progress() as bar:
        task = bar.add_task("going through the books", total=None)

        def show_progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        urls = [required(shop.settings[name], "database_url") for name in AUDITED]
        return await audit(*urls, at_rest=at_rest, progress=show_progress)


def waits(waiting: Waiting) -> Iterator[str]:
    """Which orders are not decided yet, for what they wait, and for whom."""
    for status, count, purpose in (
        ("NEW", waiting.new, "for payments to decide"),
        ("REFUNDING", waiting.refunding, "for their money to be given back"),
    ):
        if count:
            yield f"Orders that wait {purpose} ({status}): {count}"
    if waiting.outbox:
        yield f"Rows that wait in an outbox to be published: {waiting.outbox}"
    if waiting.not_running and (waiting.new or waiting.refunding or waiting.outbox):
        are = "are" if len(waiting.not_running) > 1 else "is"
        yield f"They wait for the shop: {' and '.join(waiting.not_running)} {are} not running."


def show(report: Report, console: Console) -> None:
    table = Table(title="The books of the shop")
    table.add_column("checked")
    table.add_column("rows", justify="right")
    table.add_column("promise")
    table.add_column("faults", justify="right")
    for checked in report.checked:
        faults = f"[red]{checked.faults}" if checked.faults else "[green]0"
        table.add_row(checked.check, str(checked.count), PROMISES[checked.check], faults)
    console.print(table)
    for line in waits(report.waiting):
        console.print(line)
    if report.parked:
        console.print(f"Parked messages that wait for an operator: {report.parked}")
    if report.sound:
        console.print("[green]Everything is as it should be.")
        return
    for fault in report.faults:
        console.print(
            f"[red]{fault.kind}[/] {shown(fault.subject)}: {shown(fault.found)};"
            f" should be: {shown(fault.expected)}",
            soft_wrap=True,
        )
    unseen = report.fault_count - len(report.faults)
    more = f", {unseen} of them not shown" if unseen else ""
    console.print(f"[red]Faults: {report.fault_count}{more}.")

"""The audit for people and programs: a progress bar, then what was checked and what is wrong."""

import asyncio

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from kernel.settings import Settings, required
from shop.audit.auditing import audit
from shop.audit.findings import Check, Report

PROMISES = {
    Check.ACCOUNTS: "a balance is the sum of its transfers, and never negative",
    Check.TRANSFERS: "numbered without a gap, each balance follows from the one before",
    Check.MONEY: "all balances and the revenue are all deposits",
    Check.DECISIONS: "a captured payment has its one transfer, and at most one refund; no other has any",
    Check.HISTORIES: "no gap, no step that is not allowed, and ends as the order is",
    Check.ORDERS: "paid once and as ordered, given back if refunded, not paid if cancelled; none forgotten",
    Check.OUTBOXES: "what waits is published",
}


def run_audit(settings: Settings, *, at_rest: bool, as_json: bool) -> bool:
    """Whether everything is as it should be, in the databases of the settings."""
    report = asyncio.run(_with_progress(settings, at_rest=at_rest))
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report, Console())
    return report.sound


async def _with_progress(settings: Settings, *, at_rest: bool) -> Report:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("going through the books", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return await audit(
            required(settings, "orders_database_url"),
            required(settings, "payments_database_url"),
            at_rest=at_rest,
            progress=tell,
        )


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
    if report.parked:
        console.print(f"Parked messages that wait for an operator: {report.parked}")
    if report.sound:
        console.print("[green]Everything is as it should be.")
        return
    for fault in report.faults:
        console.print(
            f"[red]{fault.kind}[/] {escape(fault.subject)}: {escape(fault.found)};"
            f" should be: {escape(fault.expected)}",
            soft_wrap=True,
        )
    unseen = report.fault_count - len(report.faults)
    more = f", {unseen} of them not shown" if unseen else ""
    console.print(f"[red]Faults: {report.fault_count}{more}.")

"""`shop audit`: runs the audit with a progress bar, and prints its report for people or programs."""

import asyncio
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table

from shop.audit.auditing import audit, checks_of, promises_of
from shop.audit.findings import Report, Waiting
from shop.console import new_progress, print_table, shown
from shop.services import Shop
from shop.terminal import show_result


def run_audit(shop: Shop, *, at_rest: bool, as_json: bool) -> bool:
    """Audits the databases that the settings name, and prints the report. Returns whether it has no fault."""
    report = asyncio.run(_with_progress(shop, at_rest=at_rest))
    promises = promises_of(checks_of(shop))
    show_result(report, as_json, lambda report, console: show(report, promises, console))
    return report.sound


async def _with_progress(shop: Shop, *, at_rest: bool) -> Report:
    with new_progress() as bar:
        task = bar.add_task("going through the books", total=None)

        def show_progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return await audit(shop, at_rest=at_rest, progress=show_progress)


def waits(waiting: Waiting) -> Iterator[str]:
    """Yields lines about pending orders and events, and about the stopped services that they wait for."""
    for status, count, purpose in (
        ("NEW", waiting.new, "for payments to decide"),
        ("REFUNDING", waiting.refunding, "for their money to be given back"),
    ):
        if count:
            yield f"Orders that wait {purpose} ({status}): {count}"
    if waiting.outbox:
        yield f"Rows that wait in an outbox to be published: {waiting.outbox}"
    if waiting.set_aside:
        yield f"Rows that wait in an outbox for a lane whose server was away: {waiting.set_aside}"
    if waiting.not_running and (waiting.new or waiting.refunding or waiting.outbox or waiting.set_aside):
        are = "are" if len(waiting.not_running) > 1 else "is"
        yield f"They wait for the shop: {' and '.join(waiting.not_running)} {are} not running."


def show(report: Report, promises: Mapping[str, str], console: Console) -> None:
    table = Table(title="The books of the shop")
    table.add_column("checked")
    table.add_column("rows", justify="right")
    table.add_column("promise")
    table.add_column("faults", justify="right")
    for checked in report.checked:
        faults = f"[red]{checked.faults}" if checked.faults else "[green]0"
        table.add_row(checked.check, str(checked.count), promises[checked.check], faults)
    print_table(console, table)
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
            f" should be: {shown(fault.expected)}"
        )
    unseen = report.fault_count - len(report.faults)
    more = f", {unseen} of them not shown" if unseen else ""
    console.print(f"[red]Faults: {report.fault_count}{more}.")

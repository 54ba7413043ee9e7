"""The results of `make bench-peers` as JSON, and as tables of the READMEs."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.peers.killing import Verdict
from bench.peers.load import Rate
from bench.peers.subjects import ROOT, Subject
from bench.published import LAST_RUN, PERFORMANCE, table, within
from bench.report import machine

README = Path(__file__).parent / "README.md"
HEAD = ["clients", "1", "32", "128", "kills", "lost", "doubled", "left NEW", "lines"]
PINNED = ("aio-pika", "celery", "dbos", "fastapi", "faststream", "faststream-outbox", "sqlalchemy", "uvicorn")


@dataclass(frozen=True)
class Measured:
    rates: dict[int, Rate]
    """By the number of clients."""
    finished_s: Sequence[float]
    verdict: Verdict


def versions() -> dict[str, str]:
    pins = (ROOT / "requirements" / "peers.txt").read_text()
    found = dict(re.findall(r"^([\w-]+)==([\w.]+)", pins, re.MULTILINE))
    return {name: found[name] for name in PINNED}


def as_json(results: Sequence[tuple[Subject, Measured]], minutes: float) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "minutes": round(minutes, 1),
        "machine": machine(),
        "versions": versions(),
        "rows": [_row(subject, measured) for subject, measured in results],
    }


def _row(subject: Subject, measured: Measured) -> dict[str, Any]:
    finished_s = measured.finished_s
    return {
        "key": subject.key,
        "title": subject.title,
        "lines": subject.lines,
        "clients": {
            str(clients): {
                "decided_per_s": round(rate.per_s),
                "answer_p50_ms": round(rate.p50_s * 1000, 1),
                "answer_p99_ms": round(rate.p99_s * 1000, 1),
            }
            for clients, rate in measured.rates.items()
        },
        "finished_p50_ms": round(finished_s[len(finished_s) // 2] * 1000, 1),
        "finished_max_ms": round(finished_s[-1] * 1000, 1),
        "killed": {**asdict(measured.verdict), "money_off": str(measured.verdict.money_off)},
    }


def markdown(document: dict[str, Any]) -> str:
    rows = document["rows"]
    numbers = [*rows[0]["clients"]]
    heads = [f"{number} client{'s' if number != '1' else ''}" for number in numbers]
    killed = ["kills", "accepted", "lost", "doubled", "left NEW", "money off"]
    cells = [
        [
            row["title"],
            *(_rate(row["clients"][number]) for number in numbers),
            "{finished_p50_ms:g}, {finished_max_ms:g} ms".format(**row),
            *("{kills} {accepted:,} {lost} {doubled} {stuck} {money_off}".format(**row["killed"]).split()),
            f"{row['lines']:,}",
        ]
        for row in rows
    ]
    shown = table(["", *heads, "until FINISHED", *killed, "lines"], cells)
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return f"{document['at'][:10]}, {document['machine']}; {versions}.\n\n{shown}"


def short(document: dict[str, Any]) -> str:
    """The table of docs/performance.md: orders decided per second, and the effects of `kill -9`."""
    cells = [
        [
            row["title"],
            *(f"{of['decided_per_s']:,}/s" for of in row["clients"].values()),
            *("{kills} {lost} {doubled} {stuck}".format(**row["killed"]).split()),
            f"{row['lines']:,}",
        ]
        for row in document["rows"]
    ]
    return f"{document['at'][:10]}, {document['machine']}.\n\n{table(HEAD, cells)}"


def pages(document: dict[str, Any]) -> dict[Path, str]:
    """The new text of each page, with these figures."""
    return {
        README: within(README.read_text(), LAST_RUN, markdown(document)),
        PERFORMANCE: within(PERFORMANCE.read_text(), "the peers", short(document)),
    }


def _rate(of: dict[str, Any]) -> str:
    return "{decided_per_s:,}/s ({answer_p50_ms:g}, {answer_p99_ms:g} ms)".format(**of)

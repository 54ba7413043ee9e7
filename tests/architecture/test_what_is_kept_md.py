"""docs/what-is-kept.md lists every table, and how long the code keeps its rows."""

import re
from datetime import timedelta
from pathlib import Path

from kernel.application.housekeeping import INBOX_KEPT
from orders.domain import audit_run, series
from tests.architecture.schema import SERVICES
from tests.architecture.test_schema import known

PAGE = (Path(__file__).parents[2] / "docs/what-is-kept.md").read_text()
ROWS = {
    name: (where, kept)
    for name, where, kept in re.findall(r"^\| `(\w+)` \| (\w+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
}


def test_every_table_is_on_the_page_with_the_services_that_have_it() -> None:
    tables = {service: set(known(service)) for service in SERVICES}
    assert ROWS.keys() == tables["orders"] | tables["payments"]
    for name, (where, _) in ROWS.items():
        services = [service for service in tables if name in tables[service]]
        assert where == ("both" if len(services) == 2 else services[0]), name


def test_the_times_are_those_of_the_code() -> None:
    times = {"inbox": INBOX_KEPT, "series_steps": series.KEPT, "audit_runs": audit_run.KEPT}
    told = {"7 days": timedelta(days=7), "an hour": timedelta(hours=1), "30 days": timedelta(days=30)}
    for name, (_, kept) in ROWS.items():
        said = [time for words, time in told.items() if kept.startswith(words)]
        assert said == ([times[name]] if name in times else []), name

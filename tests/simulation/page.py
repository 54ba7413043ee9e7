"""Writes the tables of docs/exactly-once.md from what the simulation sees; `make docs` runs it."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orders.application.cancel_orders import CancelOrders
from payments.application.correct_accounts import CorrectAccounts
from payments.application.freeze_accounts import FreezeAccounts
from tests.simulation.faults import Fault, faults_of
from tests.simulation.observing import MEANING, Effect, Watched, end, events, seen
from tests.simulation.operator_flows import operators_day
from tests.simulation.scenarios import Clients, describe, quiet_day, run
from tests.simulation.shop import Shop

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "exactly-once.md"
OPERATORS_CALLS = {"http.freeze", "http.unfreeze", "http.correct"}
BEGIN, END = "<!-- From here on: written by `make docs`. -->\n", "<!-- Until here. -->\n"

SUITES = {
    "history": "order_history",
    "placed": "placed_orders",
    "opened": "accounts",
    **{port: port for port in ("orders", "accounts", "ledger", "payments")},
    **dict.fromkeys(("outbox", "backlog"), "outbox"),
    **{port: port for port in ("inbox", "parked", "bus", "admission")},
    "uow": "unit_of_work",
    "record": "operator_record",
}
# Where the rules of a use case do not have a file of its name.
ACT = "tests/unit/payments/application/test_operators_act.py"
RULES: dict[type, str] = {FreezeAccounts: ACT, CorrectAccounts: ACT}


@dataclass(slots=True)
class Cell:
    """The effects of a fault at a call of a use case: those seen always, and those seen at times."""

    always: set[Effect]
    ever: set[Effect]

    def __str__(self) -> str:
        plain = [effect.value for effect in Effect if effect in self.always]
        at_times = [f"({effect.value})" for effect in Effect if effect in self.ever - self.always]
        return " · ".join([*plain, *at_times]) or "—"


Found = defaultdict[type | None, defaultdict[str, dict[Fault, Cell]]]


class Observer:
    def __init__(self, day: Clients) -> None:
        self._day = day
        self.fair = Watched()
        fair = self._run(self.fair)
        self._usual, self._end = seen(self.fair, fair), end(fair)
        self._messages = [event["type"] for body in fair.broker.published for event in events(body)[:1]]

    def _run(self, weather: Watched, **options: bool) -> Shop:
        shop = run(weather, self._day, parts=weather.parts, **options)
        assert not shop.broken, describe(shop, "page")
        return shop

    def effects(self, weather: Watched, **options: bool) -> set[Effect]:
        shop = self._run(weather, **options)
        unusual = seen(weather, shop)
        unusual.subtract(self._usual)
        effects = set(+unusual)
        assert end(shop) == self._end or Effect.NOT_CHECKED in effects, describe(shop, "page")
        return effects

    def strike(self, found: Found, wanted: Callable[[type | None, str], bool] = lambda *_: True) -> None:
        """Strikes each wanted call: first those from the client's first call on, then the earlier ones."""
        first = next(number for number, call in enumerate(self.fair.calls) if call.startswith("http."))
        count = len(self.fair.calls)
        for number in [*range(first, count), *range(first)]:
            call, use_case = self.fair.calls[number], self.fair.use_cases[number]
            for fault in faults_of(call) if wanted(use_case, call) else ():
                effects = self.effects(Watched(number, fault))
                cell = found[use_case][call].setdefault(fault, Cell(effects, effects))
                cell.always, cell.ever = cell.always & effects, cell.ever | effects

    def destroyed(self) -> Iterator[tuple[str, Cell]]:
        """The first message of each type."""
        for message in dict.fromkeys(self._messages):
            weather = Watched(destroyed=self._messages.index(message))
            effects = self.effects(weather, destroying=True)
            yield message, Cell(effects, effects)


def of_operators(use_case: type | None, call: str) -> bool:
    return use_case in (FreezeAccounts, CorrectAccounts, CancelOrders) or call in OPERATORS_CALLS


def tables() -> Iterator[str]:
    observer = Observer(quiet_day)
    found: Found = defaultdict(lambda: defaultdict(dict))
    observer.strike(found)
    Observer(operators_day).strike(found, of_operators)
    yield from table("Effect", "What it means")
    yield from (row(effect.value, meaning) for effect, meaning in MEANING.items())
    yield row("—", "nothing but a delay")
    yield row("( )", "happened in some runs only: it depends on what else the process was doing")
    for use_case, cells in found.items():
        yield from heading(use_case, sorted({call.split(".")[0] for call in cells}))
        yield from table("Call", *(fault.value for fault in Fault))
        alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for call, outcomes in cells.items():
            alike[tuple(str(outcomes.get(fault, "")) for fault in Fault)].append(f"`{call}`")
        for texts, calls in alike.items():
            yield row(", ".join(calls), *texts)
    yield "\n### A message that the broker loses, against its promise\n"
    yield from table("Message", "What happens")
    for message, cell in observer.destroyed():
        yield row(f"`{message}`", str(cell))


def table(*columns: str) -> Iterator[str]:
    yield "\n" + row(*columns)
    yield row(*["---"] * len(columns))


def heading(use_case: type | None, ports: Sequence[str]) -> Iterator[str]:
    suites = sorted({f"tests/ports/test_{SUITES[port]}.py" for port in ports if port in SUITES})
    if use_case is None:
        yield "\n### Between the processes\n\nThese are requests of clients (`http`) and messages (`bus`).\n"
    else:
        module = use_case.__module__.split(".")
        rules = RULES.get(use_case, f"tests/unit/{'/'.join(module[:-1])}/test_{module[-1]}.py")
        summary = " ".join((use_case.__doc__ or "").partition("\n\n")[0].split())
        yield f"\n### {use_case.__name__}\n\n{summary}\n"
        code = link(f"src/{'/'.join(module)}.py")
        yield f"The code is in {code}, its unit tests are in {link(rules)}.\n"
    yield f"The real adapters pass the same tests as those in memory: {', '.join(map(link, suites))}.\n"


def link(path: str) -> str:
    assert (ROOT / path).is_file(), path
    return f"[{path.rpartition('/')[2]}](../{path})"


def row(*texts: str) -> str:
    return f"| {' | '.join(texts)} |\n"


def page() -> str:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}{''.join(tables())}\n{END}{after}"


if __name__ == "__main__":
    logging.disable()
    PAGE.write_text(page())

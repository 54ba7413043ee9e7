"""What the comparison with peers counts, and where its table stands: bench/peers."""

import subprocess
from decimal import Decimal
from uuid import UUID

import pytest

from bench.peers.killing import Verdict, judged
from bench.peers.load import Rate
from bench.peers.subjects import ROOT, SUBJECTS
from bench.peers.table import Measured, as_json, markdown

PAID, UNPAID, CHARGED, TWICE, UNTOLD, GONE = map(UUID, [f"{n:032}" for n in range(6)])


def judge(statuses: dict[UUID, str], *charges: UUID, money_off: str = "0") -> Verdict:
    return judged(2, {PAID}, statuses, charges, Decimal(money_off))


def test_an_order_that_was_accepted_charged_once_and_finished_is_sound() -> None:
    verdict = judge({PAID: "FINISHED"}, PAID)
    assert verdict.sound
    assert (verdict.kills, verdict.accepted) == (2, 1)


@pytest.mark.parametrize(
    ("statuses", "charges"),
    [
        pytest.param({PAID: "NEW"}, [], id="accepted, and still NEW"),
        pytest.param({PAID: "CANCELLED"}, [], id="accepted, and cancelled though the money was there"),
        pytest.param({}, [], id="accepted, and not even stored"),
        pytest.param({PAID: "FINISHED", CHARGED: "NEW"}, [PAID, CHARGED], id="charged, and still NEW"),
        pytest.param({PAID: "FINISHED"}, [PAID, GONE], id="charged, and not even stored"),
        pytest.param({PAID: "FINISHED", UNPAID: "FINISHED"}, [PAID], id="finished, and never charged"),
    ],
)
def test_a_lost_order_is_counted(statuses: dict[UUID, str], charges: list[UUID]) -> None:
    verdict = judge(statuses, *charges)
    assert (verdict.lost, verdict.doubled, verdict.stuck) == (1, 0, 0)
    assert not verdict.sound


def test_an_order_that_was_charged_twice_is_doubled() -> None:
    verdict = judge({PAID: "FINISHED", TWICE: "FINISHED"}, PAID, TWICE, TWICE)
    assert (verdict.lost, verdict.doubled) == (0, 1)


def test_an_order_that_nobody_was_told_of_is_stuck_and_not_lost() -> None:
    verdict = judge({PAID: "FINISHED", UNTOLD: "NEW"}, PAID)
    assert (verdict.lost, verdict.stuck) == (0, 1)
    assert not verdict.sound


def test_money_that_no_charge_explains_is_not_sound() -> None:
    assert not judge({PAID: "FINISHED"}, PAID, money_off="0.01").sound


def test_the_table_tells_what_was_measured() -> None:
    measured = Measured(
        {1: Rate(1234.4, 0.0012, 0.0034)}, [0.005, 0.006], judge({PAID: "FINISHED", UNTOLD: "NEW"}, PAID)
    )
    document = as_json([(SUBJECTS[-1], measured)], minutes=1)
    lines = SUBJECTS[-1].lines
    row = f"| {SUBJECTS[-1].title} | 1,234/s (1.2, 3.4 ms) | 6, 6 ms | 2 | 1 | 0 | 0 | 1 | 0 | {lines} |"
    assert row in markdown(document)


def test_make_knows_the_target() -> None:
    command = ["make", "--dry-run", "--silent", "bench-peers", "ARGS=--only celery"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "-m bench.peers --only celery" in said

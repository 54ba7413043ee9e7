"""The demo: it holds only if every step is as it should be, and says which one is not."""

import io
from decimal import Decimal

from shop.console import new_console
from shop.demo import BALANCE, BASKET, DEPOSIT, RETURNED, TOO_DEAR, Step, Story, show

PAID = Step("… a book is paid", Decimal("30.00"), "FINISHED", "FINISHED")
UNPAID = Step("… a lamp is paid", Decimal("45.50"), "NEW", "FINISHED")


def shown(*steps: Step) -> str:
    text = io.StringIO()
    show(Story("demo-1", list(steps)), new_console(text, width=120))
    return text.getvalue()


def test_the_scenario_has_orders_that_the_deposit_covers_and_one_that_nothing_covers() -> None:
    assert sum(BASKET.values()) + BALANCE == DEPOSIT
    assert BALANCE >= RETURNED[1] > 0
    assert TOO_DEAR[1] > DEPOSIT


def test_a_story_holds_only_if_each_step_does() -> None:
    assert Story("demo-1", [PAID, PAID]).holds
    assert not Story("demo-1", [PAID, UNPAID, PAID]).holds


def test_a_story_that_holds_ends_with_its_sum() -> None:
    text = shown(PAID)
    assert f"{DEPOSIT} came in" in text
    assert "expected" not in text


def test_a_step_that_went_wrong_is_shown_with_what_was_expected() -> None:
    text = shown(PAID, UNPAID)
    (line,) = [line for line in text.splitlines() if "a lamp is paid" in line]
    assert "NEW" in line
    assert "expected FINISHED" in line
    assert "Something is not as it should be" in text
    assert "came in" not in text

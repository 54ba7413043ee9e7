"""Why an order is refused, payments decides and orders publishes: clients know every reason."""

import pytest

from orders.adapters.outbound.http_admission import DETAILS
from orders.contract.operations import PLACE_ORDER
from orders.contract.problems import PROBLEMS
from orders.domain.placing import EXPIRED
from payments.domain.account import Reason

# Admission does not ask for the currency: a shop has one.
TOLD_LATER = {Reason.CURRENCY_MISMATCH}
# Orders looks at its own clock, and has its own words.
NOT_ASKED_FOR = {Reason.EXPIRED}


def test_every_answer_of_payments_to_orders_has_its_words() -> None:
    assert set(Reason) - TOLD_LATER - NOT_ASKED_FOR == DETAILS.keys()


def test_orders_and_payments_have_one_word_for_what_is_too_late() -> None:
    assert EXPIRED == Reason.EXPIRED


@pytest.mark.parametrize("reason", sorted(set(Reason) - TOLD_LATER))
def test_a_reason_against_an_order_has_its_title_and_its_place_in_the_document(reason: Reason) -> None:
    assert reason in PROBLEMS.titles
    documented = [response.description for response in PLACE_ORDER["responses"].values()]
    assert any(reason in (description or "").split(", ") for description in documented)

"""Why an order is refused, payments decides and orders publishes: clients know every reason."""

import pytest

from orders.adapters.outbound.http_admission import DETAILS
from orders.contract.operations import PLACE_ORDER
from orders.contract.problems import PROBLEMS
from payments.domain.account import Reason

# Admission does not ask for the currency: a shop has one.
TOLD_LATER = {Reason.CURRENCY_MISMATCH}


@pytest.mark.parametrize("reason", sorted(set(Reason) - TOLD_LATER))
def test_a_reason_against_an_order_has_its_words_its_title_and_its_place_in_the_document(
    reason: Reason,
) -> None:
    assert reason in DETAILS
    assert reason in PROBLEMS.titles
    documented = [response.description for response in PLACE_ORDER["responses"].values()]
    assert any(reason in (description or "").split(", ") for description in documented)


def test_no_words_are_left_over_from_a_reason_that_is_gone() -> None:
    assert DETAILS.keys() <= set(Reason)

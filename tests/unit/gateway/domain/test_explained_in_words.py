"""The operators' pages have words for whatever explains an order, in both languages."""

import re
from pathlib import Path

import pytest

from kernel.domain.facts import What
from tests.unit.gateway.domain.test_explained import BACK, CAPTURED, NEW, OUT, fact, of, whys

WORDS = Path(__file__).parents[4] / "src/gateway/adapters/inbound/pages/static/words"
STATES = ([NEW], [NEW, OUT], [NEW, CAPTURED], [NEW, CAPTURED, BACK])
SERVICES = ("orders", "payments")


def words(language: str, kind: str) -> set[str]:
    text = (WORDS / f"operator.kinds.{language}.js").read_text()
    return set(re.findall(rf'^  "{kind}\.(\w+)":', text, re.MULTILINE))


def reasons() -> set[str]:
    """Every reason to wait, without the service that it is of."""
    found = {
        why
        for state in STATES
        for service in SERVICES
        for what in What
        for why in (*whys(of(*state, fact(service, what))), *whys(of(*state, silent=(service,))))
    }
    return {re.sub(r"^(orders|payments)_", "", why) for why in found}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_each_fact_and_each_reason_to_wait_has_words(language: str) -> None:
    assert {str(what) for what in What} == words(language, "fact")
    assert reasons() == words(language, "wait") == words(language, "mend")

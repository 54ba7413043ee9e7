"""docs/exactly-once.md says what the simulation sees."""

from tests.simulation.page import PAGE, page


def test_the_tables_of_exactly_once_are_what_the_simulation_sees() -> None:
    assert page() == PAGE.read_text(), "the protocol has changed: look at what `make docs` changes"

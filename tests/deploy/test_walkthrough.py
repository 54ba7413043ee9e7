"""deploy/walkthrough.py finds differences between README.md and the shop. test_running.py runs it."""

import pytest

from deploy.walkthrough import README, same, steps

SHOWN = '{"id": "1", "amount": 50.10, "status": "NEW", "createdAt": "2026-11-22T11:40:18Z"}'


def test_every_command_of_the_readme_is_played_with_its_answer() -> None:
    readme = README.read_text()
    assert len(steps(readme)) == readme.count("\n$ ") >= 6
    assert all("curl" in command and answer for command, answer in steps(readme))


def test_ids_and_times_are_new_each_time() -> None:
    assert same(SHOWN.replace('"1"', '"2"').replace("2026", "2027"), SHOWN)


@pytest.mark.parametrize(
    ("shown", "answered"), [("50.10", "50.1"), ("NEW", "FINISHED"), (', "status": "NEW"', ""), (SHOWN, "")]
)
def test_any_other_difference_is_found(shown: str, answered: str) -> None:
    assert not same(SHOWN.replace(shown, answered), SHOWN)

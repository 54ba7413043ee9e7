"""The console command: an operator's mistake is one line, a bug is not hidden."""

import click
import pytest
from click.testing import CliRunner, Result

from kernel.adapters.embedded.postgres import EmbeddedPostgresError
from kernel.domain.errors import ShopError, Unavailable
from kernel.settings import SettingsError
from shop.cli import ShopCommands


def outcome_of(error: Exception) -> Result:
    @click.group(cls=ShopCommands)
    def shop() -> None:
        pass

    @shop.command()
    def work() -> None:
        raise error

    return CliRunner().invoke(shop, ["work"])


@pytest.mark.parametrize(
    "mistake",
    [
        SettingsError("GATEWAY_PORT must be a port"),
        Unavailable("GATEWAY_PORT must be a port"),
        EmbeddedPostgresError("GATEWAY_PORT\n must be a port"),
        ExceptionGroup("", [ExceptionGroup("", [ShopError("c", "GATEWAY_PORT must be a port")])]),
        ExceptionGroup("", [Unavailable("GATEWAY_PORT must be a port"), SettingsError("another one")]),
    ],
    ids=lambda mistake: type(mistake).__name__,
)
def test_a_mistake_ends_in_one_line_and_a_failure(mistake: Exception) -> None:
    result = outcome_of(mistake)
    assert (result.exit_code, result.output) == (1, "Error: GATEWAY_PORT must be a port\n")


@pytest.mark.parametrize(
    "bug",
    [ValueError("bug"), ExceptionGroup("", [Unavailable("away"), ValueError("bug")])],
    ids=["alone", "with"],
)
def test_a_bug_is_shown_as_one_even_beside_a_mistake(bug: Exception) -> None:
    result = outcome_of(bug)
    assert result.exit_code == 1
    assert "ValueError('bug')" in repr(result.exception)

"""The console command: an operator's mistake is one line, a bug is not hidden."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from kernel.adapters.embedded.postgres import EmbeddedPostgresError
from kernel.domain.errors import ShopError, Unavailable
from kernel.settings import SettingsError
from shop.cli import cli
from shop.commands import ShopCommands
from tests.servers.ports import free_port


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
        ExceptionGroup("", [Unavailable("GATEWAY_PORT must be a port")] * 2),
    ],
    ids=lambda mistake: type(mistake).__name__,
)
def test_a_mistake_ends_in_one_line_and_a_failure(mistake: Exception) -> None:
    result = outcome_of(mistake)
    assert (result.exit_code, result.output) == (1, "Error: GATEWAY_PORT must be a port\n")


def test_a_mistake_of_each_service_is_told() -> None:
    result = outcome_of(ExceptionGroup("", [Unavailable("orders"), Unavailable("payments")]))
    assert result.output == "Error: orders; payments\n"


@pytest.mark.parametrize(
    "bug",
    [ValueError("odd"), ExceptionGroup("", [Unavailable("away"), ValueError("odd")])],
    ids=["alone", "with"],
)
def test_a_bug_is_shown_as_one_even_beside_a_mistake(bug: Exception) -> None:
    result = outcome_of(bug)
    assert result.exit_code == 1
    assert result.output.startswith("Error: a bug of the shop, ValueError: odd")
    assert result.output.count("\n") == 1
    assert "LOG_LEVEL=DEBUG" in result.output


def test_the_traceback_of_a_bug_is_logged_for_who_asks(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="shop.commands"):
        outcome_of(ValueError("odd"))
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


READING = [
    ("audit",),
    ("dead-letters", "list"),
    ("dead-letters", "replay", "--all"),
    ("dead-letters", "discard", "--all", "--yes"),
]


@pytest.fixture
def shop_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The real command in an empty folder, with these settings and no others of databases."""
    monkeypatch.setattr("shop.cli.configure_logs", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    for name in ("ORDERS_DATABASE_URL", "PAYMENTS_DATABASE_URL", "SHOP_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, **settings: str) -> Result:
        return CliRunner().invoke(cli, arguments, env=settings)

    return run


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_command_finds_no_shop_in_an_empty_folder_and_makes_none(
    command: tuple[str, ...], shop_in: Callable[..., Result], tmp_path: Path
) -> None:
    result = shop_in(*command)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: there is no shop in {tmp_path}/.data: set ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [*READING, ("migrate", "all")], ids=" ".join)
@pytest.mark.parametrize(("given", "missing"), [("ORDERS", "PAYMENTS"), ("PAYMENTS", "ORDERS")])
def test_a_command_that_needs_both_databases_takes_both_from_the_settings(
    command: tuple[str, ...], given: str, missing: str, shop_in: Callable[..., Result], tmp_path: Path
) -> None:
    result = shop_in(*command, **{f"{given}_DATABASE_URL": "postgresql://shop@127.0.0.1:1/x"})
    assert (result.exit_code, result.output) == (1, f"Error: {missing}_DATABASE_URL is not set\n")
    assert not list(tmp_path.iterdir())


def test_a_shop_makes_no_database_beside_one_that_is_away(
    shop_in: Callable[..., Result], tmp_path: Path
) -> None:
    away = f"postgresql://u@127.0.0.1:{free_port()}/x"
    for command in ("up", "demo"):
        # A port of its own, because a demo goes to the shop that runs on its port.
        result = shop_in(command, ORDERS_DATABASE_URL=away, GATEWAY_PORT=str(free_port()))
        assert "the orders database x at 127.0.0.1:" in result.output
        assert "Connection refused" in result.output
    assert not list(tmp_path.iterdir())


def test_the_variables_of_libpq_are_put_away_and_named(
    shop_in: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("PGHOST", "PGSSLMODE"):
        monkeypatch.setenv(name, "x")
    shop_in("audit")
    assert "PGHOST, PGSSLMODE: ignored" in caplog.text
    assert not {"PGHOST", "PGSSLMODE"} & set(os.environ)


HEAVY = {
    "aio_pika",
    "aiohttp",
    "alembic",
    "asyncpg",
    "dishka",
    "faststream",
    "litestar",
    "sqlalchemy",
    "uvicorn",
}


def test_help_answers_at_once_for_it_loads_no_library_of_servers() -> None:
    loads = "import sys, shop.cli; shop.cli.installed(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(loaded.split())

"""A variable that is probably a misspelled setting is told; what other programs set is not."""

import pytest
from click.testing import CliRunner

from shop.cli import cli
from shop.ignored import unknown_settings
from shop.services import load_shop
from tests.unit.kernel.setting_samples import RIGHT


def told(*names: str) -> list[str]:
    return list(unknown_settings(load_shop({}), dict.fromkeys(names, "x")))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SHOP_AUHT", "SHOP_AUTH"),
        ("SHOP_DEPOSIT", "SHOP_DEPOSITS"),
        ("SHOP_SERVICE_KEYS", "SHOP_SERVICE_KEY"),
        ("SHOP_JWT_KEYS_FILES", "SHOP_JWT_KEYS"),
        ("ORDERS_DATABASE_ULR", "ORDERS_DATABASE_URL"),
        ("PAYMENTS_DATABASE_URL_FIEL", "PAYMENTS_DATABASE_URL_FILE"),
        ("GATEWAY_PORTS", "GATEWAY_PORT"),
    ],
)
def test_a_misspelled_setting_is_told_with_the_one_that_is_meant(name: str, meant: str) -> None:
    assert told(name) == [f"{name} (is {meant} meant?)"]


def test_a_variable_that_begins_as_ours_and_resembles_nothing_is_told_too() -> None:
    assert told("SHOP_COLOUR_OF_PAGES") == ["SHOP_COLOUR_OF_PAGES"]


@pytest.mark.parametrize("name", [*RIGHT, "ORDERS_DATABASE_URL_FILE", "SHOP_SERVICE_KEY_FILE", "SHOP_PG_BIN"])
def test_no_setting_is_told(name: str) -> None:
    assert not told(name)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "SHOPPING_LIST",
        "ORDERS_SERVICE_HOST",
        "ORDERS_SERVICE_PORT",
        "ORDERS_SERVICE_PORT_HTTP",
        "ORDERS_PORT_5001_TCP",
        "ORDERS_PORT_5001_TCP_ADDR",
        "PAYMENTS_PORT_5002_TCP_PORT",
        "GATEWAY_PORT_5003_TCP_PROTO",
        "SHOP_GATEWAY_SERVICE_HOST",
        "ORDERS_DB_PASSWORD",
        "PAYMENTS_DB_USER",
        "GATEWAY_RABBITMQ_PASSWORD",
    ],
)
def test_a_variable_of_another_program_is_not_told(name: str) -> None:
    assert not told(name)


def test_an_empty_variable_is_not_set_and_not_told() -> None:
    assert not list(unknown_settings(load_shop({}), {"SHOP_AUHT": ""}))


def test_a_command_tells_all_of_them_in_one_line_and_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.cli.configure_logs", lambda *_: None)
    misspelled = {"SHOP_AUHT": "jwt", "SHOP_DEPOSIT": "operators"}
    result = CliRunner().invoke(cli, ["broker", "definitions"], env=misspelled)
    assert result.exit_code == 0
    (record,) = caplog.records
    assert record.getMessage() == (
        "ignored, no such setting: SHOP_AUHT (is SHOP_AUTH meant?), SHOP_DEPOSIT (is SHOP_DEPOSITS meant?)"
    )

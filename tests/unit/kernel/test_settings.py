"""Settings: a wrong one is named, in one clear line that tells no secret."""

import re
from pathlib import Path
from typing import Any

import pytest

from kernel.environment import load_settings
from kernel.settings import SettingsError, require_all, required, variables
from orders.settings import OrdersSettings
from shop.services import OURS, Shop, load_shop
from tests.unit.kernel.setting_samples import RIGHT, SECRET, WRONG


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


def taken(shop: Shop, name: str) -> Any:
    """The value that the services read from this setting, the same for all that have it."""
    found = [
        getattr(shop.settings[service.name], field.name)
        for service in OURS
        if (field := variables(service.settings).get(name))
    ]
    assert found
    assert len(set(map(str, found))) == 1
    return found[0]


def test_every_setting_is_held_here() -> None:
    assert RIGHT.keys() == {name for service in OURS for name in variables(service.settings)}


@pytest.mark.parametrize("name", RIGHT)
def test_a_setting_that_several_services_have_is_the_same_for_all(name: str) -> None:
    fields = [variables(service.settings).get(name) for service in OURS]
    assert len({(str(field.type), field.default) for field in fields if field}) == 1


@pytest.mark.parametrize(("name", "value"), pairs(RIGHT))
def test_a_right_value_is_taken(name: str, value: str) -> None:
    assert str(taken(load_shop({name: value}), name)) == value


@pytest.mark.parametrize(("name", "value"), pairs(WRONG))
def test_a_wrong_value_is_refused_in_one_line_that_names_its_setting_and_not_the_value(
    name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load_shop({"LOG_LEVEL": "INFO", name: value})
    line = str(refused.value)
    assert line.startswith(name)
    assert "\n" not in line
    assert SECRET not in line
    assert len(line) < 200
    assert "must be" in line or "not available" in line


@pytest.mark.parametrize(
    "name",
    [
        "ORDERS_DATABASE_URL",
        "ORDERS_MIGRATION_URL",
        "RABBITMQ_URL",
        "ORDERS_URL",
        "BIND_HOST",
        "SHOP_CURRENCY",
    ],
)
def test_a_line_break_at_the_end_is_refused_too(name: str) -> None:
    with pytest.raises(SettingsError):
        load_shop({name: RIGHT[name][0] + "\n"})


def test_a_wrong_setting_is_explained_in_words_that_help() -> None:
    with pytest.raises(SettingsError, match="GATEWAY_PORT must be a port from 1 to 65535"):
        load_shop({"GATEWAY_PORT": "0"})
    with pytest.raises(SettingsError, match="LOG_FORMAT must be one of auto, console, json"):
        load_shop({"LOG_FORMAT": "xml"})
    with pytest.raises(SettingsError, match="RABBITMQ_URL must be a URL like amqp://"):
        load_shop({"RABBITMQ_URL": "mq"})


def test_no_secret_is_in_the_error_behind_the_error_either() -> None:
    with pytest.raises(SettingsError) as refused:
        load_shop({"ORDERS_DATABASE_URL": f"mysql://shop:{SECRET}@db/orders"})
    error: BaseException | None = refused.value
    while error is not None:
        assert SECRET not in repr(error)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("name", RIGHT)
def test_an_empty_setting_is_one_that_is_not_set(name: str) -> None:
    assert load_shop({name: ""}) == load_shop({})


def test_without_any_setting_the_defaults_of_the_contract_hold() -> None:
    shop = load_shop({})
    settings = shop.common
    assert settings.rabbitmq_url is None
    assert [shop.settings[name].database_url for name in ("orders", "payments")] == [None, None]
    assert [shop.settings[name].port for name in ("orders", "payments", "gateway")] == [5001, 5002, 5003]
    assert shop.settings["gateway"].orders_url == "http://127.0.0.1:5001"
    assert shop.settings["gateway"].payments_url == "http://127.0.0.1:5002"
    assert (settings.bind_host, settings.shop_data_dir, settings.shop_currency) == (
        "127.0.0.1",
        Path(".data"),
        "RUB",
    )
    assert (settings.shop_auth, settings.shop_legacy_routes) == ("open", "on")
    assert (settings.log_level, settings.log_format) == ("INFO", "auto")


def test_other_variables_of_the_environment_and_other_spellings_are_no_settings() -> None:
    assert load_shop({"PATH": "/bin", "gateway_port": "1", "GATEWAY_PORTS": "x"}) == load_shop({})


def test_all_that_is_missing_is_named_at_once() -> None:
    missing = (
        r"^ORDERS_DATABASE_URL, RABBITMQ_URL are not set;"
        r" SHOP_AUTH=jwt needs SHOP_JWT_ISSUER, SHOP_JWT_KEYS, SHOP_SERVICE_KEY$"
    )
    with pytest.raises(SettingsError, match=missing):
        require_all(load_settings(OrdersSettings, {"SHOP_AUTH": "jwt"}), "database_url", "rabbitmq_url")
    require_all(load_settings(OrdersSettings, {"RABBITMQ_URL": "amqp://mq"}), "rabbitmq_url")


def test_a_setting_without_a_default_is_asked_for_by_its_name() -> None:
    with pytest.raises(SettingsError, match=r"^ORDERS_DATABASE_URL is not set$"):
        required(load_settings(OrdersSettings, {}), "database_url")
    url = RIGHT["ORDERS_DATABASE_URL"][0]
    assert required(load_settings(OrdersSettings, {"ORDERS_DATABASE_URL": url}), "database_url") == url


@pytest.mark.parametrize("text", ["warning", "Warning", "WARNING", "wArNiNg"])
def test_the_level_of_the_log_may_be_written_in_any_case(text: str) -> None:
    assert load_shop({"LOG_LEVEL": text}).common.log_level == "WARNING"


URLS = [name for name in RIGHT if name.endswith("_URL")]


@pytest.mark.parametrize("name", URLS)
def test_a_url_may_come_from_a_file_which_may_end_with_a_line_break(name: str, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{RIGHT[name][0]}\n")
    shop = load_shop({f"{name}_FILE": str(tmp_path / "url"), name: ""})
    assert taken(shop, name) == RIGHT[name][0]


@pytest.mark.parametrize("name", URLS)
def test_a_wrong_url_from_a_file_is_refused_without_being_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"gopher://shop:{SECRET}@db")
    with pytest.raises(SettingsError, match=f"^{name} must be a URL") as refused:
        load_shop({f"{name}_FILE": str(tmp_path / "url")})
    assert SECRET not in str(refused.value)


def test_both_a_value_and_a_file_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("amqp://mq")
    both = {"RABBITMQ_URL": f"amqp://shop:{SECRET}@mq", "RABBITMQ_URL_FILE": str(tmp_path / "url")}
    with pytest.raises(SettingsError, match="RABBITMQ_URL and RABBITMQ_URL_FILE are both set") as refused:
        load_shop(both)
    assert SECRET not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "empty").touch()
    for path, why in {
        tmp_path / "nothing": "No such file",
        tmp_path: "Is a directory",
        tmp_path / "binary": "not UTF-8",
        tmp_path / "empty": "is empty",
    }.items():
        with pytest.raises(SettingsError, match=f"^RABBITMQ_URL_FILE .*{why}"):
            load_shop({"RABBITMQ_URL_FILE": str(path)})


@pytest.mark.parametrize(
    ("lanes", "urls", "said"),
    [
        (
            "1",
            "0-1=postgresql://a/x",
            "must name the lane 0 (SHOP_LANES=1), each exactly once: look at lane 1",
        ),
        (
            "2",
            "0=postgresql://a/x",
            "must name the lanes from 0 to 1 (SHOP_LANES=2), each exactly once: look at lane 1",
        ),
        (
            "2",
            "0=postgresql://a/x,1=postgresql://b/x",
            "its servers are separated by commas: separate them by ;",
        ),
        ("2", "0=postgresql://a/x;1=postgresql://b/x;", "it has a ; that separates nothing"),
    ],
)
def test_what_is_wrong_with_the_urls_of_lanes_is_said(lanes: str, urls: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        load_shop({"SHOP_LANES": lanes, "ORDERS_LANE_URLS": urls})

"""Settings: a wrong one is named, in one clear line that tells no secret."""

from pathlib import Path
from typing import Any

import pytest

from kernel.settings import SettingsError, load_settings, require_all, required, variables
from orders.settings import OrdersSettings
from shop.services import OURS, Shop, load_shop

SECRET = "hunter2"

RIGHT = {
    "ORDERS_DATABASE_URL": [
        f"postgresql://shop:{SECRET}@db:5432/orders",
        "postgres://a,b:6432/orders?sslmode=require",
        f"postgresql://shop:[{SECRET}@db/orders?connect_timeout=10&channel_binding=prefer&keepalives=1",
        "postgresql://a:1,[2001:db8::7]:2,c/orders",
    ],
    "PAYMENTS_DATABASE_URL": ["postgresql://shop@127.0.0.1/payments"],
    "ORDERS_MIGRATION_URL": [f"postgresql://owner:{SECRET}@db:5432/orders"],
    "PAYMENTS_MIGRATION_URL": ["postgresql://owner@127.0.0.1/payments"],
    "RABBITMQ_URL": [
        f"amqp://shop:{SECRET}@mq:5672/",
        "amqps://mq",
        "amqp://a,amqps://b:5671/shop",
        "amqp://[::1]:5672/%2F?heartbeat=30",
    ],
    "ORDERS_URL": ["http://orders:5001", "https://orders.example"],
    "PAYMENTS_URL": ["http://[::1]:5002"],
    "GATEWAY_PORT": ["1", "5003", "65535"],
    "ORDERS_PORT": ["8080"],
    "PAYMENTS_PORT": ["8081"],
    "BIND_HOST": ["0.0.0.0", "::", "shop.example"],
    "SHOP_DATA_DIR": ["/var/lib/shop", "relative dir"],
    "SHOP_CURRENCY": ["RUB", "EUR"],
    "SHOP_AUTH": ["open", "jwt"],
    "SHOP_OPEN_BEYOND_LOOPBACK": ["yes", "no"],
    "SHOP_JWT_ISSUER": ["https://id.example/realms/shop", "urn:shop:local"],
    "SHOP_JWT_AUDIENCE": ["shop", "https://api.shop.example"],
    "SHOP_JWT_KEYS": ["https://id.example/keys", "/run/secrets/keys.pem"],
    "SHOP_TOKEN": ["a.b.c"],
    "SHOP_SERVICE_KEY": ["k" * 32, f"{'n' * 64},{'o' * 32}"],
    "SHOP_SESSION_KEY": ["k" * 32, f"{'n' * 64},{'o' * 32}"],
    "SHOP_OIDC_CLIENT_ID": ["shop", "0oa1b2-c3.apps.example"],
    "SHOP_OIDC_CLIENT_SECRET": ["s3cr3t+/=~", f"{SECRET}"],
    "SHOP_OIDC_SCOPE": ["openid", "openid offline_access", "api://shop/.default openid"],
    "SHOP_DEPOSITS": ["users", "operators"],
    "SHOP_LEGACY_ROUTES": ["on", "off"],
    "SHOP_CORS_ORIGINS": ["*", "https://shop.example", "https://a.example:8443,http://localhost:3000"],
    "METRICS_PORT": ["1", "9464"],
    "SHOP_CONNECTIONS": ["1", "10000"],
    "SHOP_CONNECTIONS_PER_ADDRESS": ["1", "1000000"],
    "SHOP_TRUSTED_PROXIES": ["10.0.0.0/8", "10.0.0.1", "::1, fd00::/8,192.168.0.0/16"],
    "SHOP_EVENT_SOURCES": ["/erp", "/erp,urn:crm:hand"],
    "SHOP_ROOT_PATH": ["/shop", "/a/b-c", "/.shop/..a"],
    "SHOP_RATE_LIMIT": ["50/second", "1/minute", "100000/hour", "5/day", "none"],
    "SHOP_RATE_LIMIT_URL": [
        "redis://redis:6379",
        f"redis://shop:{SECRET}@[::1]:6379/15",
        f"rediss://:{SECRET}@redis.example?ssl_ca_certs=/dev/null",
    ],
    "SHOP_STREAMS_PER_USER": ["1", "20"],
    "SHOP_STREAMS_PER_ADDRESS": ["1", "100"],
    "LOG_LEVEL": ["DEBUG", "INFO", "WARNING", "ERROR"],
    "LOG_FORMAT": ["auto", "console", "json"],
    "OTEL_EXPORTER_OTLP_ENDPOINT": ["http://collector:4318", "https://otlp.example/of/us"],
    "SHOP_MIGRATE_LOCK_WITHIN": ["1", "60", "86400"],
}

WRONG = {
    "ORDERS_DATABASE_URL": [
        f"mysql://shop:{SECRET}@db/orders",
        f"postgresql://shop:{SECRET} @db/orders",
        "db:5432",
        f"postgresql://shop:{SECRET}@db:99999/orders",
        f"postgresql://shop:{SECRET}/@db/orders",
        f"postgresql://shop:{SECRET}@db/orders?channel_binding=require",
    ],
    "PAYMENTS_DATABASE_URL": [f"postgressql://shop:{SECRET}@db/payments", "postgresql://"],
    "ORDERS_MIGRATION_URL": [f"mysql://owner:{SECRET}@db/orders"],
    "PAYMENTS_MIGRATION_URL": [f"postgresql://owner:{SECRET}@db:99999/payments"],
    "RABBITMQ_URL": [
        f"http://shop:{SECRET}@mq",
        "amqp://",
        f"amqp://a,mq:{SECRET}",
        "amqp://a, amqp://b",
        "amqp://a,",
        f"amqp://a,amqp://shop:[{SECRET}@mq/",
        f"amqp://shop:{SECRET}/@mq/",
        f"amqp://shop:{SECRET}#@mq/",
        f"amqp://shop:{SECRET}@mq:99999",
        f"amqp://shop:{SECRET}@mq:0",
        f"amqp://shop:{SECRET}@mq/?cacertfile=/x",
        f"amqps://shop:{SECRET}@mq/?cafile=/nowhere.crt",
        f"amqp://shop:{SECRET}@mq/?heartbeat=often",
        "amqp://[::1",
        "amqp://a..b",
        "amqp://mq:٣",
    ],
    "ORDERS_URL": ["orders:5001", "http://orders:5001/", "http://orders/api", "ftp://orders", "http://"],
    "PAYMENTS_URL": [
        "http://pay ments",
        "http://a..b",
        "http://" + "h" * 64,
        "http://[",
        "http://[::1",
        "http://::1",
        "http://payments:99999",
        "http://payments:0",
        "http://payments:1:2",
        "http://payments?x=",
        "http://payments#x",
        f"http://shop:{SECRET}@payments",
        "http://payments:٣",
    ],
    "GATEWAY_PORT": ["0", "65536", "-1", "5003a", "five", " 5003", "5_003", "9" * 5000, "true"],
    "ORDERS_PORT": ["http"],
    "PAYMENTS_PORT": ["5002.5"],
    "BIND_HOST": ["a b", " ", "a..b", "h" * 64, "[::1]"],
    "SHOP_CURRENCY": ["rub", "RUBL", "R1B", "₽"],
    "SHOP_AUTH": ["none", "JWT"],
    "SHOP_OPEN_BEYOND_LOOPBACK": ["true", "YES"],
    "SHOP_SERVICE_KEY": ["k" * 31, "k" * 32 + ",", f"{'k' * 32}, {'k' * 32}", ",".join(["k" * 32] * 3)],
    "SHOP_SESSION_KEY": ["k" * 31, "k" * 32 + ",", f"{'k' * 32} {'k' * 32}"],
    "SHOP_OIDC_CLIENT_ID": ["shop\n", "магазин"],
    "SHOP_OIDC_CLIENT_SECRET": [f"{SECRET} {SECRET}", f"{SECRET}\n"],
    "SHOP_OIDC_SCOPE": ["profile", "openid,email", "openid  email", " openid", "openid ", "openidx"],
    "SHOP_DEPOSITS": ["anyone"],
    "SHOP_LEGACY_ROUTES": ["true", "ON", "0"],
    "SHOP_RATE_LIMIT": ["50", "0/second", "50/fortnight", "5/seconds", "1/second;9/day", "No", "1.5/second"],
    "SHOP_RATE_LIMIT_URL": [
        f"http://:{SECRET}@redis",
        "redis://",
        f"redis://:{SECRET}@redis/shop",
        f"redis://:{SECRET}/@redis",
        f"redis://:{SECRET}@redis:99999",
        f"redis://:{SECRET}@redis?ssl_ca_certs=/dev/null",
        f"rediss://:{SECRET}@redis?ssl_ca_certs=/nowhere.crt",
        f"rediss://:{SECRET}@redis?ssl_cert_reqs=none",
    ],
    "SHOP_STREAMS_PER_USER": ["0", "none"],
    "SHOP_STREAMS_PER_ADDRESS": ["0", "-1", "many", "1.5"],
    "SHOP_CORS_ORIGINS": [
        "shop.example",
        "https://shop.example/",
        "https://*.example",
        "https://a.example, https://b.example",
        "https://a.example,",
        "null",
        "https://a.example:99999",
        "https://a.example?x=",
        "https://[",
    ],
    "METRICS_PORT": ["0", "65536", "none"],
    "SHOP_CONNECTIONS": ["0", "-1", "many", "1.5", "1000001"],
    "SHOP_CONNECTIONS_PER_ADDRESS": ["0", "none"],
    "SHOP_TRUSTED_PROXIES": ["*", "10.0.0.1/8", "10.0.0.0/8,", ",", "10.0.0.0/33", "proxy.example", "yes"],
    "SHOP_EVENT_SOURCES": ["/erp,", ",/erp", "/erp, /crm", "/e rp", "/erp\n"],
    "SHOP_ROOT_PATH": [
        "shop",
        "/",
        "/shop/",
        "//shop",
        "/a b",
        "/shop?",
        "/..",
        "/a/./b",
        "http://shop.example/a",
    ],
    "LOG_LEVEL": ["TRACE", " info", "30"],
    "LOG_FORMAT": ["xml"],
    "OTEL_EXPORTER_OTLP_ENDPOINT": [
        "collector:4318",
        f"grpc://shop:{SECRET}@collector:4317",
        "http://a b",
        "http://[",
        "http://collector:0",
    ],
    "SHOP_MIGRATE_LOCK_WITHIN": ["0", "-1", "86401", "1.5", "60s", "1_0", " 60"],
}


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


def taken(shop: Shop, name: str) -> Any:
    """What the services make of this setting, which is the same for all that have it."""
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


def test_what_was_wrong_is_said_in_words_that_help() -> None:
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


def test_all_settings_that_jwt_needs_and_that_are_missing_are_named_in_one_line() -> None:
    settings = load_settings(OrdersSettings, {"SHOP_AUTH": "jwt", "SHOP_JWT_ISSUER": "https://id.example"})
    with pytest.raises(SettingsError, match=r"^SHOP_AUTH=jwt needs SHOP_JWT_KEYS, SHOP_SERVICE_KEY$"):
        require_all(settings, "shop_jwt_issuer", "shop_jwt_keys", "shop_service_key")


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

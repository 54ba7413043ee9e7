"""Everything an operator can set, as environment variables: the field's name in capitals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from kernel.adapters.networks import Networks
from kernel.adapters.postgres.parameters import UrlProblem
from kernel.checks import (
    check_bind_host,
    check_broker_urls,
    check_collector_url,
    check_database_url,
    check_http_url,
    check_origins,
)

Port = Annotated[int, Meta(ge=1, le=65535, description="a port from 1 to 65535")]
Seconds = Annotated[int, Meta(ge=1, le=86400, description="whole seconds from 1 to 86400")]
DatabaseUrl = Annotated[
    str, Meta(description="a URL like postgresql://user:password@host:5432/name"), check_database_url
]
BrokerUrls = Annotated[
    str,
    Meta(description="a URL like amqp://user:password@host:5672/, or several separated by commas"),
    check_broker_urls,
]
Origins = Annotated[
    str,
    Meta(description="an origin like https://shop.example, several separated by commas, or *"),
    check_origins,
]
HttpUrl = Annotated[str, Meta(description="a URL like http://host:port"), check_http_url]
CollectorUrl = Annotated[str, Meta(description="a URL like http://host:4318"), check_collector_url]

Count = Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]

MAY_BE_SECRET = ("_URL",)


RootPath = Annotated[
    str,
    Meta(
        pattern=r"^(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)+\Z",
        description="a path like /shop, without a slash at its end",
    ),
]


class SettingsError(Exception):
    """One clear line about a setting that is wrong or missing."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    orders_database_url: DatabaseUrl | None = None
    payments_database_url: DatabaseUrl | None = None
    rabbitmq_url: BrokerUrls | None = None
    orders_url: HttpUrl = "http://127.0.0.1:5001"
    payments_url: HttpUrl = "http://127.0.0.1:5002"
    gateway_port: Port = 5003
    orders_port: Port = 5001
    payments_port: Port = 5002
    bind_host: Annotated[str, Meta(description="a host name or an address"), check_bind_host] = "127.0.0.1"
    shop_data_dir: Annotated[Path, Meta(description="a folder")] = Path(".data")
    shop_currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z", description="a code like RUB (ISO 4217)")] = (
        "RUB"
    )
    shop_auth: Literal["open", "jwt"] = "open"
    shop_legacy_routes: Literal["on", "off"] = "on"
    shop_cors_origins: Origins | None = None
    shop_connections: Count = 10_000
    shop_connections_per_address: Count | None = None
    shop_trusted_proxies: Annotated[
        Networks, Meta(description="networks like 10.0.0.0/8 or fd00::/8, separated by commas")
    ] = Networks()
    shop_root_path: RootPath | None = None
    shop_streams_per_address: Count | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "console", "json"] = "auto"
    otel_exporter_otlp_endpoint: CollectorUrl | None = None
    shop_migrate_lock_within: Seconds = 60

    @property
    def connections_per_address(self) -> int | None:
        """The default is for authenticated callers: in open mode all callers may share one address."""
        by_default = 1000 if self.shop_auth == "jwt" else None
        return self.shop_connections_per_address or by_default


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Raises SettingsError for the first value that is not what its setting takes; empty means unset.

    The value of a URL may lie in a file, which the variable `…_FILE` names: a URL may hold a password.
    """
    values = {
        field.name: _value(field, text)
        for field in msgspec.structs.fields(Settings)
        if (text := _text(field.name, environment))
    }
    settings = Settings(**values)
    if settings.shop_auth == "jwt":
        raise SettingsError("SHOP_AUTH: jwt is not available yet; use open")
    return settings


def required(settings: Settings, name: str) -> str:
    """The value of a setting that has no default. Raises SettingsError where it is not set."""
    value = getattr(settings, name)
    if value is None:
        raise SettingsError(f"{name.upper()} is not set")
    return str(value)


def _text(name: str, environment: Mapping[str, str]) -> str:
    name = name.upper()
    text = environment.get(name, "")
    path = environment.get(f"{name}_FILE", "") if name.endswith(MAY_BE_SECRET) else ""
    if not path:
        return text.upper() if name == "LOG_LEVEL" else text
    if text:
        raise SettingsError(f"{name} and {name}_FILE are both set; only one may be")
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{name}_FILE names a file that cannot be read: {reason}") from error
    if not text:
        raise SettingsError(f"{name}_FILE names a file that is empty")
    return text


def _value(field: msgspec.structs.FieldInfo, text: str) -> Any:
    name = field.name.upper()
    try:
        value = msgspec.convert(text, field.type, strict=False, dec_hook=lambda kind, value: kind(value))
        for note in _notes(field.type):
            if callable(note):
                note(value)
    except UrlProblem as problem:
        raise SettingsError(f"{name} must be {_expected(field.type)}: {problem}") from None
    except msgspec.ValidationError as error:
        # Never the value itself: it may hold a password.
        raise SettingsError(f"{name} must be {_expected(field.type)}") from error
    return value


def _notes(kind: Any) -> list[Any]:
    """What the annotation of a setting adds to its type."""
    return [note for part in (kind, *get_args(kind)) for note in getattr(part, "__metadata__", ())]


def _expected(kind: Any) -> str:
    """What a setting takes, in words, from its annotation."""
    for note in _notes(kind):
        if isinstance(note, Meta):
            return str(note.description)
    return "one of " + ", ".join(get_args(kind))

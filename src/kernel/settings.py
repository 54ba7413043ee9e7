"""Everything an operator can set, as environment variables: the field's name in capitals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

Port = Annotated[int, Meta(ge=1, le=65535, description="a port from 1 to 65535")]
Seconds = Annotated[int, Meta(ge=1, le=86400, description="whole seconds from 1 to 86400")]
DatabaseUrl = Annotated[
    str,
    Meta(
        pattern=r"^postgres(ql)?://\S+\Z", description="a URL like postgresql://user:password@host:5432/name"
    ),
]
BrokerUrls = Annotated[
    str,
    Meta(
        pattern=r"^amqps?://[^\s,]+(,amqps?://[^\s,]+)*\Z",
        description="a URL like amqp://user:password@host:5672/, or several separated by commas",
    ),
]
Origins = Annotated[
    str,
    Meta(
        pattern=r"^(\*|https?://[^\s/,*]+(,https?://[^\s/,*]+)*)\Z",
        description="an origin like https://shop.example, several separated by commas, or *",
    ),
]
HttpUrl = Annotated[str, Meta(pattern=r"^https?://[^\s/]+\Z", description="a URL like http://host:port")]

CollectorUrl = Annotated[str, Meta(pattern=r"^https?://\S+\Z", description="a URL like http://host:4318")]


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
    bind_host: Annotated[str, Meta(pattern=r"^\S+\Z", description="a host name or an address")] = "127.0.0.1"
    shop_data_dir: Annotated[Path, Meta(description="a folder")] = Path(".data")
    shop_currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z", description="a code like RUB (ISO 4217)")] = (
        "RUB"
    )
    shop_auth: Literal["open", "jwt"] = "open"
    shop_legacy_routes: Literal["on", "off"] = "on"
    shop_cors_origins: Origins | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "console", "json"] = "auto"
    otel_exporter_otlp_endpoint: CollectorUrl | None = None
    shop_migrate_lock_within: Seconds = 60


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Raises SettingsError for the first value that is not what its setting takes; empty means unset."""
    values = {
        field.name: _value(field, text)
        for field in msgspec.structs.fields(Settings)
        if (text := environment.get(field.name.upper(), ""))
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


def _value(field: msgspec.structs.FieldInfo, text: str) -> Any:
    try:
        return msgspec.convert(text, field.type, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        # Never the value itself: it may hold a password.
        raise SettingsError(f"{field.name.upper()} must be {_expected(field.type)}") from error


def _expected(kind: Any) -> str:
    """What a setting takes, in words, from its annotation."""
    for part in (kind, *get_args(kind)):
        for note in getattr(part, "__metadata__", ()):
            return str(note.description)
    return "one of " + ", ".join(get_args(kind))

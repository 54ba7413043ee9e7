"""Everything an operator can set, as environment variables: the field's name in capitals."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta
from yarl import URL

from kernel.adapters.networks import Networks
from kernel.adapters.postgres.parameters import UrlProblem, is_host
from kernel.adapters.postgres.urls import database_hosts

# Those of the AMQP library; it takes any other one for nothing.
BROKER_PARAMETERS = (
    *("cafile", "capath", "cadata", "certfile", "keyfile", "no_verify_ssl"),
    *("auth", "heartbeat", "timeout"),
)


def check_database_url(text: str) -> None:
    """Like all checks, it raises UrlProblem, which quotes nothing that may be secret."""
    database_hosts(text)


def check_http_url(text: str) -> None:
    """Of a service: what is asked of it is appended."""
    if _server_url(text, "http", "https").path not in ("", "/") or text.endswith("/"):
        raise UrlProblem("it has a path")


def check_bind_host(text: str) -> None:
    if not is_host(text):
        raise UrlProblem("it is none")


def check_collector_url(text: str) -> None:
    _server_url(text, "http", "https")


def check_origins(text: str) -> None:
    if text != "*":
        for origin in text.split(","):
            check_http_url(origin)
            if "*" in origin:
                raise UrlProblem("a * stands alone")


def check_broker_urls(text: str) -> None:
    for url in text.split(","):
        for name, value in _server_url(url, "amqp", "amqps").query.items():
            if name not in BROKER_PARAMETERS:
                raise UrlProblem(f"the parameter {'?' if '@' in value else name} is not supported")
            if name in ("heartbeat", "timeout") and not re.fullmatch(r"[0-9]{1,6}", value):
                raise UrlProblem(f"{name} must be a whole number")
            if name in ("cafile", "certfile", "keyfile") and not os.access(value, os.R_OK):
                raise UrlProblem(f"the file of {name} cannot be read")


def _server_url(text: str, *schemes: str) -> URL:
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise UrlProblem("it has a space or a line break")
    if not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise UrlProblem(f"it does not begin with {'://, '.join(schemes)}://")
    try:
        url = URL(text)
        port = url.explicit_port
    except ValueError:  # which may quote a password
        raise UrlProblem(
            "its host or port cannot be read; in a password, / ? # [ ] are percent-encoded"
        ) from None
    amqp = "amqp" in schemes
    if not url.host or not is_host(url.host) or port == 0:
        raise UrlProblem("its host or port is none")
    if not text.partition("://")[2].partition("/")[0].rpartition("@")[2].isascii():
        raise UrlProblem("its host and port must be ASCII")  # URL takes a port of any script's digits
    if "@" in url.path or "@" in url.fragment:
        raise UrlProblem("in a password, / ? # are percent-encoded")
    if "#" in text or (not amqp and (url.raw_query_string or "?" in text)):
        raise UrlProblem("nothing may follow ? or #")
    if not amqp and "@" in text:
        raise UrlProblem("it takes no user and no password")
    return url


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
    str, Meta(pattern=r"^(/[A-Za-z0-9._~-]+)+\Z", description="a path like /shop, without a slash at its end")
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
        """Without a setting only where callers have names: in open mode everybody may have one address."""
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

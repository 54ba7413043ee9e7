"""The settings of all services, read from environment variables. Each service adds settings of its own.

A variable has the name of its field in capitals. `msgspec.field(name=…)` gives it another name.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from kernel.adapters.lanes.lane import LANES_MAX
from kernel.adapters.networks import Networks
from kernel.adapters.postgres.connections.urls import database_hosts, names_lanes, urls_of_lanes
from kernel.checks import (
    RateLimit,
    RedisUrl,
    check_bind_host,
    check_broker_urls,
    check_collector_url,
    check_http_url,
    check_owner_url,
)

# A function in an annotation raises UrlProblem for a value that the setting does not take.
Port = Annotated[int, Meta(ge=1, le=65535, description="a port from 1 to 65535")]
Seconds = Annotated[int, Meta(ge=1, le=86400, description="whole seconds from 1 to 86400")]
DatabaseUrl = Annotated[
    str, Meta(description="a URL like postgresql://user:password@host:5432/name"), database_hosts
]
LaneUrls = Annotated[
    str,
    Meta(description="the URLs of lanes, like 0-1=postgresql://host/name;2-3=postgresql://other/name"),
    urls_of_lanes,
]
OwnerUrl = Annotated[
    str,
    Meta(description="a URL like postgresql://owner:password@host:5432/name, or those of lanes"),
    check_owner_url,
]
LaneCount = Annotated[
    Literal[1, 2, 4, 8, 16, 32, 64, 128, 256],
    Meta(description=f"a power of two from 1 to {LANES_MAX}"),
]
BrokerUrls = Annotated[
    str,
    Meta(description="a URL like amqp://user:password@host:5672/, or several separated by commas"),
    check_broker_urls,
]
HttpUrl = Annotated[str, Meta(description="a URL like http://host:port"), check_http_url]
CollectorUrl = Annotated[str, Meta(description="a URL like http://host:4318"), check_collector_url]
Count = Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z", description="a code like RUB (ISO 4217)")]
Issuer = Annotated[str, Meta(description="the `iss` of tokens, as the provider writes it")]
JwtKeys = Annotated[str, Meta(description="the URL of a JWKS, or a file with a JWKS or PEM")]
SECRET_LENGTH_MIN = 32
Secrets = Annotated[
    str,
    Meta(
        pattern=rf"^[^\s,]{{{SECRET_LENGTH_MIN},}}(,[^\s,]{{{SECRET_LENGTH_MIN},}})?\Z",
        description=f"a secret of {SECRET_LENGTH_MIN} characters or more, or two, separated by a comma",
    ),
]

# A variable with one of these endings may be set by a file, which the variable `…_FILE` names.
MAY_BE_SECRET = ("_URL", "_URLS", "_KEY", "_SECRET", "_TOKEN")


class SettingsError(Exception):
    """A setting is wrong or missing. The text is one line."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    is_edge: ClassVar[bool] = False
    """Whether clients call this service, and no other service does."""
    jwt_needs: ClassVar[Sequence[str]] = ("shop_jwt_issuer", "shop_jwt_keys", "shop_service_key")
    """The fields without which the service cannot start in jwt mode."""

    rabbitmq_url: BrokerUrls | None = None
    bind_host: Annotated[str, Meta(description="a host name or an address"), check_bind_host] = "127.0.0.1"
    shop_data_dir: Annotated[Path, Meta(description="a folder")] = Path(".data")
    shop_currency: Currency = "RUB"
    shop_auth: Literal["open", "jwt"] = "open"
    shop_open_beyond_loopback: Literal["yes", "no"] = "no"
    shop_jwt_issuer: Issuer | None = None
    shop_jwt_audience: Annotated[str, Meta(description="the `aud` of tokens")] = "shop"
    shop_jwt_keys: JwtKeys | None = None
    shop_token: Annotated[str, Meta(description="a bearer token")] | None = None
    shop_service_key: Secrets | None = None
    shop_legacy_routes: Literal["on", "off"] = "on"
    metrics_port: Port | None = None
    shop_connections: Count = 10_000
    shop_connections_per_address: Count | None = None
    shop_rate_limit: RateLimit | None = None
    shop_rate_limit_url: RedisUrl | None = None
    shop_trusted_proxies: Annotated[
        Networks, Meta(description="networks like 10.0.0.0/8 or fd00::/8, separated by commas")
    ] = Networks()
    shop_event_sources: Annotated[
        str,
        Meta(
            pattern=r"^[^\s,]+(,[^\s,]+)*\Z",
            description="the `source` of events, or several, separated by commas",
        ),
    ] = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "console", "json"] = "auto"
    otel_exporter_otlp_endpoint: CollectorUrl | None = None
    shop_migrate_lock_within: Seconds = 60
    shop_lanes: LaneCount = 1

    def __post_init__(self) -> None:
        """Raises SettingsError unless every lane has one server, and the owner URLs name the same lanes."""
        if urls := getattr(self, "lane_urls", None):
            of_lanes = variable(type(self), "lane_urls")
            named = Counter(number for lanes, _ in urls_of_lanes(urls) for number in lanes)
            wanted = Counter(range(self.shop_lanes))
            if wrong := (named - wanted) + (wanted - named):
                lanes = f"lanes from 0 to {self.shop_lanes - 1}" if self.shop_lanes > 1 else "lane 0"
                raise SettingsError(
                    f"{of_lanes} must name the {lanes} (SHOP_LANES={self.shop_lanes}), each exactly once:"
                    f" look at lane {min(wrong)}"
                )
        if (owner := getattr(self, "migration_url", None)) and set(_named(owner)) != set(_named(urls)):
            of_owner, of_service = (variable(type(self), name) for name in ("migration_url", "lane_urls"))
            raise SettingsError(f"{of_owner} must name the same lanes for each server as {of_service}")

    @property
    def rate_limit(self) -> str | None:
        """None means no limit. In open mode only the gateway has one: its calls to services bear no token."""
        is_jwt = self.shop_auth == "jwt"
        rate = self.shop_rate_limit or ("50/second" if is_jwt else "none")
        return rate if rate != "none" and (is_jwt or self.is_edge) else None

    @property
    def connections_per_address(self) -> int | None:
        """Only jwt mode has a default limit, because in open mode all callers may share one address."""
        return self.shop_connections_per_address or (1000 if self.shop_auth == "jwt" else None)


def required(settings: Settings, name: str) -> str:
    """Returns the value of a setting without a default. Raises SettingsError if it is not set."""
    value = getattr(settings, name)
    if value is None:
        raise SettingsError(not_set([variable(type(settings), name)]))
    return value if isinstance(value, str) else str(value)  # A FileText stays a FileText.


def require_all(settings: Settings, *names: str) -> None:
    """Raises SettingsError if one of these fields, or a field that jwt mode needs, has no value. The error
    names all such fields."""
    faults = []
    if unset := _unset(settings, names):
        faults.append(not_set(unset))
    if settings.shop_auth == "jwt" and (unset := _unset(settings, settings.jwt_needs)):
        faults.append(f"SHOP_AUTH=jwt needs {', '.join(unset)}")
    if faults:
        raise SettingsError("; ".join(faults))


def not_set(variables: Sequence[str]) -> str:
    return f"{', '.join(variables)} {'is' if len(variables) == 1 else 'are'} not set"


def variables(kind: type[Settings]) -> dict[str, msgspec.structs.FieldInfo]:
    """Returns the fields of these settings, by the names of their environment variables."""
    return {field.encode_name.upper(): field for field in msgspec.structs.fields(kind)}


def variable(kind: type[Settings], name: str) -> str:
    """Returns the environment variable of this field."""
    return next(variable for variable, field in variables(kind).items() if field.name == name)


def _unset(settings: Settings, names: Sequence[str]) -> list[str]:
    return [variable(type(settings), name) for name in names if getattr(settings, name) is None]


def _named(urls: str | None) -> Sequence[range]:
    """Returns the lanes of each server; empty if one server has all lanes."""
    return [lanes for lanes, _ in urls_of_lanes(urls)] if urls and names_lanes(urls) else []

"""Checks of settings beyond their types. Each check raises UrlProblem with a text that quotes no secret."""

import os
import re
from typing import Annotated

from msgspec import Meta
from yarl import URL

from kernel.adapters.postgres.connections.parameters import UrlProblem, is_host
from kernel.adapters.postgres.connections.urls import database_hosts, names_lanes, urls_of_lanes

# The parameters that the AMQP library reads. It ignores any other parameter.
BROKER_PARAMETERS = (
    *("cafile", "capath", "cadata", "certfile", "keyfile", "no_verify_ssl"),
    *("auth", "heartbeat", "timeout"),
)

REDIS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def check_owner_url(text: str) -> None:
    if names_lanes(text):
        urls_of_lanes(text)
    else:
        database_hosts(text)


def check_http_url(text: str) -> None:
    """Checks the base URL of a service, to which paths are appended."""
    if _server_url(text, "http", "https").path not in ("", "/") or text.endswith("/"):
        raise UrlProblem("it has a path")


def check_bind_host(text: str) -> None:
    if not is_host(text):
        raise UrlProblem("it is not a valid one")


def check_collector_url(text: str) -> None:
    _server_url(text, "http", "https")


def check_origins(text: str) -> None:
    if text != "*":
        for origin in text.split(","):
            check_http_url(origin)
            if "*" in origin:
                raise UrlProblem("* cannot be combined with others")


def check_broker_urls(text: str) -> None:
    for url in text.split(","):
        for name, value in _server_url(url, "amqp", "amqps").query.items():
            if name not in BROKER_PARAMETERS:
                raise UrlProblem(f"the parameter {'?' if '@' in value else name} is not supported")
            if name in ("heartbeat", "timeout") and not re.fullmatch(r"[0-9]{1,6}", value):
                raise UrlProblem(f"{name} must be a whole number")
            if name in ("cafile", "certfile", "keyfile"):
                _check_readable(name, value)


def check_redis_url(text: str) -> None:
    url = _server_url(text, "redis", "rediss")
    if not re.fullmatch(r"/?|/[0-9]{1,3}", url.path):
        raise UrlProblem("its path must be the number of a database")
    for name, value in url.query.items():
        if name not in REDIS_FILES or url.scheme != "rediss":
            raise UrlProblem(f"the parameter {'?' if '@' in value else name} is not supported")
        _check_readable(name, value)


RedisUrl = Annotated[
    str, Meta(description="a URL like redis://user:password@host:6379/0 or rediss://host"), check_redis_url
]
RateLimit = Annotated[
    str,
    Meta(
        pattern=r"^([1-9][0-9]{0,8}/(second|minute|hour|day)|none)\Z",
        description="a number of calls like 50/second, or none",
    ),
]


def _check_readable(name: str, path: str) -> None:
    if not os.access(path, os.R_OK):
        raise UrlProblem(f"the file of {name} cannot be read")


def _server_url(text: str, *schemes: str) -> URL:
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise UrlProblem("it has a space or a line break")
    if not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise UrlProblem(f"it does not begin with {'://, '.join(schemes)}://")
    try:
        url = URL(text)
        port = url.explicit_port
    except ValueError:  # Its text may quote a password.
        raise UrlProblem(
            "its host or port cannot be read; in a password, / ? # [ ] are percent-encoded"
        ) from None
    is_http = "http" in schemes
    if not url.host or not is_host(url.host) or port == 0:
        raise UrlProblem("its host or port is missing or invalid")
    if not text.partition("://")[2].partition("/")[0].rpartition("@")[2].isascii():
        raise UrlProblem("its host and port must be ASCII")  # URL takes the digits of any script.
    if "@" in url.path or "@" in url.fragment:
        raise UrlProblem("in a password, / ? # are percent-encoded")
    if "#" in text or (is_http and (url.raw_query_string or "?" in text)):
        raise UrlProblem("nothing may follow ? or #")
    if is_http and "@" in text:
        raise UrlProblem("it takes no user and no password")
    return url

"""Parses database URLs as libpq does (PostgreSQL manual, 34.1.1.2), and makes options for the driver."""

import getpass
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import quote, urlencode

from kernel.adapters.postgres.connections.parameters import (
    SESSION,
    SOCKET,
    TLS,
    UrlProblem,
    decoded,
    is_host,
    parameters,
)

PORT = 5432
# A host and its port number.
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class HostUrl:
    """One host of a URL, with all that a connection to this host needs."""

    host: str
    """A host name, an IP address, or the folder of a Unix socket."""
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    parameters: Mapping[str, str] = field(repr=False, hash=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def connect_within_s(self) -> float | None:
        """The URL's connect_timeout; None if it is missing or 0, which means no limit in libpq."""
        return float(self.parameters.get("connect_timeout", 0)) or None

    @property
    def socket_options(self) -> Mapping[str, int]:
        """The URL's socket options. An option with 0 is left out, as in libpq, except for `keepalives`."""
        given = {name: int(self.parameters[name]) for name in SOCKET if name in self.parameters}
        return {name: number for name, number in given.items() if number or name == "keepalives"}

    @property
    def session_settings(self) -> dict[str, str]:
        """The URL's `options` and application_name, or else its fallback_application_name."""
        found = {name: self.parameters[name] for name in SESSION if name in self.parameters}
        fallback = self.parameters.get("fallback_application_name")
        return {"application_name": fallback, **found} if fallback else found

    def driver_options(self) -> dict[str, Any]:
        """Returns all options of the connection. The driver would take missing ones from PGHOST and so on.

        Raises OSError, which includes ssl.SSLError, if a certificate cannot be read.
        """
        tls = {name: self.parameters[name] for name in TLS if name in self.parameters}
        secured: ssl.SSLContext | str = self.parameters.get("sslmode", "prefer")
        if tls.get("sslrootcert") == "system":
            secured = _trusting_the_system(tls)
            tls = {name: tls[name] for name in ("sslnegotiation",) if name in tls}
        return {
            "dsn": f"postgresql://?{urlencode(tls)}",
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database,
            "ssl": secured,
        }


def _trusting_the_system(tls: Mapping[str, str]) -> ssl.SSLContext:
    """Makes a TLS context that trusts this machine's authorities. The driver lacks `sslrootcert=system`."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["postgresql"])
    if "sslcert" in tls:
        context.load_cert_chain(tls["sslcert"], tls.get("sslkey"), tls.get("sslpassword", ""))
    return context


def database_hosts(url: str) -> list[HostUrl]:
    """Parses a URL into its hosts, in the URL's order. Raises UrlProblem."""
    start = re.match(r"postgres(ql)?://", url)
    if start is None:
        raise UrlProblem("it does not begin with postgresql://")
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        raise UrlProblem("it has a space or a line break")
    rest = url[start.end() :]
    account = ""
    if "@" in rest.partition("/")[0]:
        account, _, rest = rest.partition("@")
    address, _, query = rest.partition("?")
    authority, _, path = address.partition("/")
    if "@" in authority:  # This @ is in the password, because no host has one. libpq would require %40.
        more, _, authority = authority.rpartition("@")
        account = f"{account}@{more}"
    if "@" in path:
        raise UrlProblem("in the password, / must be written as %2F")
    given = parameters(query)
    user, _, password = account.partition(":")
    if "host" in given:
        written = [(host, "") if host.count(":") > 1 else _place(host) for host in given["host"].split(",")]
    else:
        written = [_place(one) for one in authority.split(",")]
    places = _places(written, given.get("port", ""))
    user = given.get("user") or decoded(user)
    password = given.get("password") or decoded(password)
    database = given.get("dbname") or decoded(path)
    if not user:  # As in libpq, the default is the process's user, who may have no name in a container.
        try:
            user = getpass.getuser()
        except (KeyError, OSError):
            raise UrlProblem("it names no user") from None
    return [HostUrl(host, port, user, password, database or user, given) for host, port in places]


def in_schema(url: str, schema: str) -> str:
    """Adds a search_path to the URL, so that its sessions use the tables of the schema."""
    given = database_hosts(url)[0].parameters
    options = f"{given.get('options', '')} -c search_path={schema}".strip()
    joint = "" if url.endswith("?") else "&" if given else "?"
    return f"{url}{joint}options={quote(options)}"  # If a parameter comes twice, the last value counts.


def names_lanes(text: str) -> bool:
    """Whether a setting lists the URLs of lanes, like `0-1=postgresql://…`, instead of one URL."""
    return bool(re.match(r"[0-9]+(-[0-9]+)?=", text))


def urls_of_lanes(text: str) -> list[tuple[range, str]]:
    """Parses the lanes and the URL of each server, from a text like `0-1=postgresql://…;2-3=postgresql://…`.
    Raises UrlProblem."""
    found = []
    for part in text.split(";"):
        if not part:
            raise UrlProblem("it has a ; that separates nothing")
        if re.search(r",[0-9]+(-[0-9]+)?=postgres", part):
            raise UrlProblem("its servers are separated by commas: separate them by ;")
        named = re.fullmatch(r"([0-9]{1,3})(?:-([0-9]{1,3}))?=(.*)", part, re.DOTALL)
        lanes = range(int(named[1]), int(named[2] or named[1]) + 1) if named else range(0)
        if not named or not lanes:
            raise UrlProblem("a part does not begin with lanes, like 0-1= (in a password, ; is %3B)")
        database_hosts(named[3])
        found.append((lanes, named[3]))
    return found


def _places(written: list[tuple[str, str]], ports: str) -> list[Place]:
    if not ports:
        return [(host, _port(port)) for host, port in written]
    numbers = ports.split(",")
    if len(numbers) not in (1, len(written)):
        raise UrlProblem("the number of ports differs from the number of hosts")
    return [(host, _port(port)) for (host, _), port in zip(written, numbers * len(written), strict=False)]


def _place(text: str) -> tuple[str, str]:
    """Splits a host from its port; the port stays text, and may be empty. Raises UrlProblem."""
    if text.startswith("["):
        found = re.fullmatch(r"\[([^\[\]]*)\](?::([^:]*))?", text)
        host, port = (found[1], found[2]) if found else ("", "")
        try:
            IPv6Address(decoded(host))
        except ValueError:
            raise UrlProblem("a host in [ ] must be an IPv6 address") from None
    else:
        host, _, port = text.partition(":")
        if ":" in port:
            raise UrlProblem("an IPv6 address must be written in [ ]")
    host = decoded(host)
    if not host:
        raise UrlProblem("a host is missing")
    if not host.startswith("/") and not is_host(host):
        raise UrlProblem("a host is neither a name nor an address")
    return host, port or ""


def _port(text: str) -> int:
    if not text:
        return PORT
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise UrlProblem("a port must be a number from 1 to 65535")
    return int(text)

"""Parses and checks the parameters of a database URL (PostgreSQL manual, 34.1.2)."""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote

# The TLS parameters of libpq. The driver has them under the same names.
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
TLS = (*_FILES, "sslpassword", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version")
SOCKET = ("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
_NUMBERS = ("connect_timeout", *SOCKET)
# The maxima of Linux (include/net/tcp.h).
_MOST = {"keepalives_idle": 32_767, "keepalives_interval": 32_767, "keepalives_count": 127}
SESSION = ("application_name", "options")
_OURS = ("host", "port", "user", "password", "dbname", "fallback_application_name", *_NUMBERS, *SESSION)
# The supported values. The driver does not have the features that other values ask for.
_ONLY = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "ssl_max_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "sslsni": ("1",),
    "sslcompression": ("0",),
    "sslcertmode": ("allow",),
    "channel_binding": ("disable", "prefer"),
    "gssencmode": ("disable", "prefer"),
    "client_encoding": ("auto", "utf8", "UTF8", "utf-8", "UTF-8"),
    "load_balance_hosts": ("disable", "random"),  # only one of the hosts takes writes
    "replication": ("0", "false", "off", "no"),
    # The shop connects to the host that takes writes, whichever of these values the URL has.
    "target_session_attrs": ("any", "read-write", "primary"),
    "keepalives": ("0", "1"),
}
# Alternative names that libpq has for some parameters.
_ALSO = {"database": "dbname", "ssl": "sslmode", "requiressl": "sslmode"}
_ALSO_VALUES = {("ssl", "true"): "require", ("requiressl", "1"): "require", ("requiressl", "0"): "prefer"}


class UrlProblem(ValueError):
    """A URL is not valid. The error says why, and never quotes a part that may belong to a password."""


def parameters(query: str) -> dict[str, str]:
    """Parses the query of a URL. As in libpq, the last value of a parameter counts, and an empty value is
    ignored. Raises UrlProblem."""
    given = {}
    for pair in query.split("&") if query else ():
        name, equals, text = pair.partition("=")
        value = decoded(text)
        value = _ALSO_VALUES.get((name, value), value)
        name = _ALSO.get(name, name)
        if not re.fullmatch(r"[A-Za-z_]{1,40}", name) or not equals:
            raise UrlProblem("the text after ? must be like sslmode=require&connect_timeout=10")
        if name not in (*_ONLY, *TLS, *_OURS):
            # If the query has an @, its first part may be the end of a password that contains a /.
            raise UrlProblem(f"the parameter {'?' if '@' in query else name} is not supported")
        if value:
            given[name] = value
    for name, value in given.items():
        _check(name, value)
    if given.get("sslrootcert") == "system" and given.setdefault("sslmode", "verify-full") != "verify-full":
        raise UrlProblem("sslrootcert=system needs sslmode=verify-full")
    if given.get("sslnegotiation") == "direct" and given.get("sslmode", "")[:6] not in ("requir", "verify"):
        raise UrlProblem("sslnegotiation=direct needs sslmode=require or stricter")
    _check_certificates(given)
    return given


def _check(name: str, value: str) -> None:
    """Raises UrlProblem if the value is not supported, or if it names a file that cannot be read."""
    if name in _ONLY and value not in _ONLY[name]:
        raise UrlProblem(f"{name} can be {' or '.join(_ONLY[name])}")
    if name in _NUMBERS and not re.fullmatch(r"[0-9]{1,6}", value):
        raise UrlProblem(f"{name} must be a whole number")
    if name in _MOST and int(value) > _MOST[name]:
        raise UrlProblem(f"{name} can be {_MOST[name]} at most")
    if name in _FILES and value != "system" and not os.access(value, os.R_OK):
        raise UrlProblem(f"the file of {name} cannot be read")


def _check_certificates(given: Mapping[str, str]) -> None:
    """Raises UrlProblem if a certificate is not usable. The driver's errors would not name the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in ("sslrootcert", "sslcrl"):
        if given.get(name, "system") != "system":
            with _naming(name):
                context.load_verify_locations(given[name])
    if "sslcert" in given and "sslkey" in given:
        with _naming("sslcert, sslkey or sslpassword"):
            context.load_cert_chain(given["sslcert"], given["sslkey"], given.get("sslpassword", ""))


@contextmanager
def _naming(names: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError:
        raise UrlProblem(f"the file of {names} cannot be used") from None


def decoded(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})|%00", text):
        raise UrlProblem("a % must be written as %25")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise UrlProblem("percent-encoded text must be UTF-8") from None


def is_host(name: str) -> bool:
    """Whether DNS can look up the host name, in which each label must have 1 to 63 characters."""
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return bool(re.fullmatch(r"[^\s/\[\]@?#\x00-\x1f]{1,253}", name))

"""Sets and reads the gateway's cookies (RFC 6265bis)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kernel.adapters.http.middleware.proxies import HOST, PREFIX
from kernel.adapters.networks import parsed
from kernel.domain.errors import Invalid, Refused
from kernel.domain.value import value

# A browser accepts 4096 bytes for name and value together. The server accepts heads of up to 16 KiB.
PART_BYTES_MAX = 3900
PARTS_MAX = 3

_PORT = re.compile(r":[0-9]+\Z")

Headers = Sequence[tuple[bytes, bytes]]


@value
class BaseUrl:
    """The URL of the shop's root, as the browser sees it."""

    scheme: str
    host: str
    """The Host header as the browser sent it, with the port; empty without this header."""
    prefix: str
    """The path that a proxy puts before the shop's paths; empty without such a proxy."""

    @property
    def url(self) -> str:
        """Returns the URL as text. Raises Invalid if the call has no valid Host header."""
        if not HOST.fullmatch(self.host):
            raise Invalid.field("Host", "must name the host by which the shop is reached")
        return f"{self.scheme}://{self.host}{self.prefix}"

    @property
    def is_secure(self) -> bool:
        """Whether cookies are sent over HTTPS only. False only for plain HTTP on a loopback address."""
        name = _PORT.sub("", self.host).strip("[]").lower()
        address = parsed(name)
        is_loopback = name == "localhost" or (address is not None and address.is_loopback)
        return self.scheme == "https" or not is_loopback


def base_url_of(scope: Mapping[str, Any]) -> BaseUrl:
    hosts = [text.decode("latin-1") for name, text in scope["headers"] if name == b"host"]
    return BaseUrl(scope.get("scheme", "http"), hosts[0] if hosts else "", str(scope.get(PREFIX, "")))


@value
class Cookie:
    """One of the shop's cookies. A value too long for one cookie continues in `name-1` and `name-2`."""

    name: str
    path: str
    same_site: str
    max_age_s: int | None = None
    """If None, the cookie lasts until the browser is closed."""

    def read(self, scope: Mapping[str, Any]) -> str:
        """Returns the value that the browser sent. Empty without a cookie, and also if two cookies have the
        same name, because another host must have set one of them."""
        given = _given(scope)
        parts = []
        for name in self._names(base_url_of(scope)):
            values = given.get(name, [])
            if len(values) > 1:
                return ""
            if not values:
                break
            parts.append(values[0])
        return "".join(parts)

    def set(self, text: str, scope: Mapping[str, Any]) -> Headers:
        """Returns the headers that set the cookie. Raises Refused if the text needs too many cookies."""
        parts = [text[start : start + PART_BYTES_MAX] for start in range(0, len(text), PART_BYTES_MAX)]
        if len(parts) > PARTS_MAX:
            raise Refused("session_too_large", "the tokens are too long to be kept in cookies")
        names = self._names(base_url_of(scope))
        kept = [
            self._line(name, part, self.max_age_s, scope) for name, part in zip(names, parts, strict=False)
        ]
        return [*kept, *self._removed(names[len(parts) :], scope)]

    def removed(self, scope: Mapping[str, Any]) -> Headers:
        return self._removed(self._names(base_url_of(scope)), scope)

    def _removed(self, names: Sequence[str], scope: Mapping[str, Any]) -> Headers:
        """Returns headers that remove the cookies with these names, if the browser sent them."""
        given = _given(scope)
        return [self._line(name, "", 0, scope) for name in names if name in given]

    def _names(self, base: BaseUrl) -> Sequence[str]:
        """The names of the parts, with the prefixes of RFC 6265bis, 4.1.3. A browser accepts both prefixes
        over HTTPS only. It accepts `__Host-` from the host itself, not from another host of its domain."""
        prefix = ""
        if base.is_secure:
            prefix = "__Host-" if self.path == "/" else "__Secure-"
        return [f"{prefix}{self.name}{f'-{number}' if number else ''}" for number in range(PARTS_MAX)]

    def _line(
        self, name: str, text: str, max_age_s: int | None, scope: Mapping[str, Any]
    ) -> tuple[bytes, bytes]:
        base = base_url_of(scope)
        path = self.path if self.path == "/" else f"{base.prefix}{self.path}"
        attributes = [f"{name}={text}", f"Path={path}", "HttpOnly", f"SameSite={self.same_site}"]
        attributes += ["Secure"] if base.is_secure else []
        attributes += [] if max_age_s is None else [f"Max-Age={max_age_s}"]
        return b"set-cookie", "; ".join(attributes).encode("latin-1")


def _given(scope: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    given: dict[str, list[str]] = {}
    for header, text in scope["headers"]:
        if header == b"cookie":
            for pair in text.decode("latin-1").split(";"):
                name, _, content = pair.partition("=")
                given.setdefault(name.strip(), []).append(content.strip())
    return given

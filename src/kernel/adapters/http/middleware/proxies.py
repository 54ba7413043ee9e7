"""Takes the client, scheme, host and prefix of a call from the headers of trusted proxies (RFC 7239).

Each proxy appends an element to a header, so the header is read from the right. Elements of trusted proxies
are true. Elements to the left of the first untrusted address may be forged, and are ignored.
"""

import re
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import msgspec
from litestar.types import ASGIApp, HTTPResponseBodyEvent, Message, Receive, Scope, Send

from kernel.adapters.answer_start import answer_start
from kernel.adapters.http.conventions.problem import MEDIA_TYPE
from kernel.adapters.networks import Networks, parsed
from kernel.contracts.http import Problem
from kernel.contracts.values import decoder, encode
from kernel.domain.value import value

# Tells browsers that came by https to use only https for a year (RFC 6797).
_ONLY_HTTPS = (b"strict-transport-security", b"max-age=31536000")
PREFIX = "shop.prefix"  # The scope's key for the prefix of the paths that clients use, if there is one.

# Matches an element of a reversed list. A string that a client left unclosed is to the left of the proxies'
# elements, so it cannot confuse reading backwards. Proxies write no quote within a string.
_ELEMENT_BACKWARDS = re.compile(r'(?:[^,"]|"[^"]*"?)+')
_PAIR = re.compile(r'\s*(?P<name>[^\s;=]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s;"]*))\s*(?:;|$)')
HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~%+@-]+)+")
_ADDRESS = re.compile(r"\[(?P<v6>[^\]]+)\](?::[0-9]+)?|(?P<v4>[0-9.]+):[0-9]+")
_TARGET = re.compile(r"(^|<)(?=/(?!/))")


@value
class Origin:
    """The origin of a call, as reported by one proxy or by all trusted proxies. An empty field is unknown."""

    address: str
    scheme: str = ""
    host: str = ""
    prefix: str = ""


def origin_of(peer: str, headers: Mapping[str, str], trusted: Networks) -> Origin:
    """The origin of a call that `peer` sent. `headers` holds the proxies' headers by lower-case name."""
    origin = Origin(peer)
    for hop in reversed(_hops(headers)):
        if not trusted.hold(origin.address):
            break
        address = _address(hop.address)
        origin = Origin(
            address or origin.address,
            hop.scheme.lower() if hop.scheme.lower() in ("http", "https") else origin.scheme,
            hop.host if HOST.fullmatch(hop.host) else origin.host,
            (hop.prefix if _PREFIX.fullmatch(hop.prefix) else "") + origin.prefix,
        )
        if address is None:  # A proxy may hide its client's address (RFC 7239, section 6).
            break
    return origin


def behind_proxies(app: ASGIApp, trusted: Networks, root_path: str = "") -> ASGIApp:
    """Shows `app` the origin of each call. `root_path` is the prefix if no proxy reports a prefix."""
    if not trusted and not root_path:
        return app

    def as_seen(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        client = scope.get("client") or ("", 0)
        origin = Origin(client[0])
        if trusted.hold(client[0]):
            origin = origin_of(client[0], _reported(scope), trusted)
            _show(scope, origin, client)
            if trusted.hold(origin.address):
                # The proxy itself is the client. Limits by address do not apply to trusted proxies.
                scope["client"] = None
        prefix = origin.prefix or root_path
        if not prefix:
            return app(scope, receive, send)
        if not origin.prefix:
            _strip(scope, root_path)
        scope[PREFIX] = prefix  # type: ignore[literal-required]  # a key of ours
        return app(scope, receive, _Prefixed(prefix, send))

    return as_seen


def _hops(headers: Mapping[str, str]) -> Sequence[Origin]:
    """One Origin for each proxy, the nearest proxy last, from Forwarded or else from X-Forwarded-*."""
    if forwarded := headers.get("forwarded"):
        backwards = _without_empty(_ELEMENT_BACKWARDS.findall(forwarded[::-1]))
        return [_hop(element[::-1]) for element in reversed(backwards)]
    lists = {
        name: _without_empty(headers.get(f"x-forwarded-{name}", "").split(",")) or [""]
        for name in ("for", "proto", "host", "prefix")
    }
    hops = []
    for number in range(len(lists["for"])):
        # If a list has too few values, its first value also counts for farther proxies. A prefix does not.
        place = number - len(lists["for"])
        reported = {name: items[max(place, -len(items))] for name, items in lists.items() if name != "prefix"}
        prefix = lists["prefix"][place] if -place <= len(lists["prefix"]) else ""
        hops.append(Origin(reported["for"], reported["proto"], reported["host"], prefix.rstrip("/")))
    return hops


def _without_empty(elements: Sequence[str]) -> list[str]:
    """Strips the elements of a list, and ignores empty elements (RFC 9110, section 5.6.1)."""
    return [text for element in elements if (text := element.strip())]


def _hop(element: str) -> Origin:
    pairs: dict[str, str] = {}
    position = 0
    while found := _PAIR.match(element, position):
        text = found["token"] if found["quoted"] is None else re.sub(r"\\(.)", r"\1", found["quoted"])
        pairs.setdefault(found["name"].lower(), text)
        position = found.end()
    if position < len(element):
        return Origin("unknown")
    return Origin(pairs.get("for", "unknown"), pairs.get("proto", ""), pairs.get("host", ""))


def _address(text: str) -> str | None:
    """The IP address without its port; None for a name, such as `unknown` or `_hidden`."""
    if found := _ADDRESS.fullmatch(text):
        text = found["v6"] or found["v4"]
    known = parsed(text)
    return None if known is None else str(known)


def _reported(scope: Scope) -> dict[str, str]:
    reported: dict[str, str] = {}
    for name, text in scope["headers"]:
        if name == b"forwarded" or name.startswith(b"x-forwarded-"):
            key, line = name.decode(), text.decode("latin-1")
            reported[key] = f"{reported[key]},{line}" if key in reported else line
    return reported


def _show(scope: Scope, origin: Origin, client: tuple[str, int]) -> None:
    if origin.address != client[0]:
        scope["client"] = (origin.address, 0)
    if origin.scheme:
        scope["scheme"] = origin.scheme
    if origin.scheme == "https":
        answer_start(scope).headers.append(_ONLY_HTTPS)
    if origin.host:
        others = [(name, text) for name, text in scope["headers"] if name != b"host"]
        scope["headers"] = [(b"host", origin.host.encode()), *others]


def _strip(scope: Scope, prefix: str) -> None:
    """Removes the prefix from the path, unless a proxy has already removed it."""
    if f"{scope['path']}/".startswith(f"{prefix}/"):
        scope["path"] = scope["path"].removeprefix(prefix) or "/"
        scope["raw_path"] = scope["raw_path"].removeprefix(prefix.encode()) or b"/"


class _Prefixed:
    """Adds the prefix to the references in an answer: Location, Link, and the instance of a problem."""

    def __init__(self, prefix: str, send: Send) -> None:
        self._prefix = prefix
        self._send = send
        self._start: Any = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, self._below(text) if name.lower() in (b"location", b"link") else text)
                for name, text in message["headers"]
            ]
            if (b"content-type", MEDIA_TYPE.encode()) in message["headers"]:
                self._start = message  # Sent with the body, because the length depends on it.
                return
        elif self._start is not None and message["type"] == "http.response.body":
            message = await self._send_start(message)
        await self._send(message)

    async def _send_start(self, message: HTTPResponseBodyEvent) -> Message:
        start, self._start = self._start, None
        if message["body"]:
            reported = decoder(Problem).decode(message["body"])
            body = encode(msgspec.structs.replace(reported, instance=f"{self._prefix}{reported.instance}"))
            headers = [item for item in start["headers"] if item[0] != b"content-length"]
            start["headers"] = [*headers, (b"content-length", b"%d" % len(body))]
            message = {**message, "body": body}
        await self._send(start)
        return message

    def _below(self, references: bytes) -> bytes:
        return _TARGET.sub(rf"\g<1>{self._prefix}", references.decode("latin-1")).encode("latin-1")

"""The CORS protocol for a whole application, fast paths included (Fetch standard, section 3.3).

Litestar's own CORS refuses a preflight in plain text, and replaces an existing Vary header. It also sends no
Vary if the request has no Origin, so a cache could give a page an answer that was meant for another site.
"""

from collections.abc import Awaitable, Iterable
from dataclasses import replace

from litestar.config.cors import CORSConfig
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.answer_start import answer_start
from kernel.adapters.http.conventions.problem import error_answer, instance_of
from kernel.adapters.http.middleware.fast_path import send_answer
from kernel.adapters.http.middleware.options import METHOD_OF_OPTIONS
from kernel.adapters.http.parsing.faults import invalid
from kernel.domain.errors import FieldError
from kernel.ports.http_answer import HttpAnswer

_ORIGIN = b"origin"
_METHOD, _HEADERS = b"access-control-request-method", b"access-control-request-headers"
# Headers that a page may always send (Fetch, "CORS-safelisted request-header").
_ALWAYS_ALLOWED = frozenset({"accept", "accept-language", "content-language", "content-type"})
_VARY = (b"vary", b"Origin")
_VARY_OF_PREFLIGHT = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


def with_cors(app: ASGIApp, config: CORSConfig | None) -> ASGIApp:
    """Adds the CORS headers of `config`, if any, to answers, and answers preflights. If no origin is allowed,
    a preflight is answered like any other OPTIONS, without permission for any page."""
    if config is None:
        return app
    exposed = (b"access-control-expose-headers", ", ".join(config.expose_headers).encode())

    def answer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != ScopeType.HTTP:
            return app(scope, receive, send)
        given = dict(scope["headers"])
        origin = given[_ORIGIN].decode("latin-1") if _ORIGIN in given else None
        is_preflight = origin is not None and _METHOD in given and scope["method"] == METHOD_OF_OPTIONS
        if is_preflight and config.allow_origins:
            headers = {name: value.decode("latin-1") for name, value in given.items()}
            return send_answer(_preflight(config, headers, instance_of(scope)), send)
        added = answer_start(scope).headers
        added.append(_VARY)
        if origin is not None and config.is_origin_allowed(origin):
            added += [(b"access-control-allow-origin", _allowed_origin(config, origin)), exposed]
        return app(scope, receive, send)

    return answer


def _preflight(config: CORSConfig, headers: dict[bytes, str], instance: str) -> HttpAnswer:
    origin, method = headers[_ORIGIN], headers[_METHOD]
    wanted = [name.strip() for name in headers.get(_HEADERS, "").split(",") if name.strip()]
    allowed = _ALWAYS_ALLOWED.union(name.lower() for name in config.allow_headers)
    errors = []
    if not config.is_origin_allowed(origin):
        errors.append(FieldError("Origin", "is not an origin whose pages may call this service"))
    if method not in config.allow_methods:
        errors.append(FieldError("Access-Control-Request-Method", f"must be {_or(config.allow_methods)}"))
    if not allowed.issuperset(name.lower() for name in wanted):
        errors.append(FieldError("Access-Control-Request-Headers", f"may name {_or(config.allow_headers)}"))
    if errors:
        refusal = error_answer(invalid(errors), instance)
        return replace(refusal, headers={**refusal.headers, "Vary": _VARY_OF_PREFLIGHT})
    granted = {
        "Access-Control-Allow-Origin": _allowed_origin(config, origin).decode("latin-1"),
        "Access-Control-Allow-Methods": ", ".join(config.allow_methods),
        "Access-Control-Allow-Headers": ", ".join(config.allow_headers),
        "Access-Control-Max-Age": str(config.max_age),
        "Vary": _VARY_OF_PREFLIGHT,
    }
    return HttpAnswer(204, "", granted, b"")


def _allowed_origin(config: CORSConfig, origin: str) -> bytes:
    return b"*" if config.is_allow_all_origins else origin.encode("latin-1")


def _or(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"

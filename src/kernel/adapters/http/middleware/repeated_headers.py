"""Handles headers that come in several lines (RFC 9110, section 5.3): joins lists, refuses single values."""

from collections import Counter
from collections.abc import Awaitable

from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.http.middleware.fast_path import send_problem
from kernel.domain.errors import Invalid

# Headers with a single value that the shop reads. Of two values, nobody can tell which one is meant.
_SINGLE = {
    name.lower().encode(): name
    for name in ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Origin")
}

Lines = list[tuple[bytes, bytes]]


def join_repeated(app: ASGIApp) -> ASGIApp:
    """Shows `app` each header once."""

    def joined(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        lines: Lines = list(scope["headers"])
        if len(dict(lines)) < len(lines):
            repeated = _repeated(lines)
            if not repeated.isdisjoint(_SINGLE):
                name = min(_SINGLE[name] for name in repeated & _SINGLE.keys())
                return send_problem(Invalid.field(name, "must be given once"), scope, send)
            scope["headers"] = _joined(lines)
        return app(scope, receive, send)

    return joined


def _repeated(lines: Lines) -> set[bytes]:
    counts = Counter(name for name, _ in lines)
    return {name for name, count in counts.items() if count > 1}


def _joined(lines: Lines) -> Lines:
    values: dict[bytes, list[bytes]] = {}
    for name, text in lines:
        values.setdefault(name, []).append(text)
    # Cookies are separated by a semicolon (RFC 6265, section 5.4).
    return [(name, (b"; " if name == b"cookie" else b", ").join(texts)) for name, texts in values.items()]

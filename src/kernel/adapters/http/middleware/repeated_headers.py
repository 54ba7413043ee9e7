"""Joins a header that comes in several lines, or refuses it if it must come once (RFC 9110, section 5.3)."""

from collections import Counter
from collections.abc import Awaitable

from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.http.middleware.fast_path import send_problem
from kernel.domain.errors import Invalid

# The shop reads these headers, which have a single value. It cannot know the right one of two values.
_SINGLE = {
    name.lower().encode(): name
    for name in ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Origin")
}

Lines = list[tuple[bytes, bytes]]


def join_repeated(app: ASGIApp) -> ASGIApp:
    """Gives `app` each header once. Answers 400 if a header with a single value is repeated."""

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

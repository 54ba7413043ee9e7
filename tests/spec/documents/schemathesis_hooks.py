"""What schemathesis sends otherwise than it would; schemathesis.toml names this file."""

import os
from itertools import cycle
from typing import Any

import schemathesis


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """JSON Schema takes 5.0 for an integer, and the shop does not: no user's id has a point in it."""
    return _with_integers(body)


def _with_integers(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_integers(item) for item in part]
    if not isinstance(part, dict):
        return part
    user = part.get("userId")
    return part | {"userId": int(user)} if isinstance(user, float) and user.is_integer() else part


TOKENS = cycle(os.environ.get("SPEC_TOKENS", "").split(","))


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Each request bears the next of these tokens; the empty one is none."""
    if token := next(TOKENS):
        case.headers["Authorization"] = f"Bearer {token}"

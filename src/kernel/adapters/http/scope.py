"""The head of a request as ASGI has it."""

import re
from typing import Any, cast
from urllib.parse import unquote

from litestar.types import Scope

from kernel.adapters.http.request_head import RequestHead

_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)
_ASGI = {"version": "3.0", "spec_version": "2.3"}


def scope_of(
    head: RequestHead,
    *,
    client: tuple[str, int] | None,
    server: tuple[str, int] | None,
    state: dict[str, Any],
    extensions: dict[str, Any],
) -> Scope:
    path = head.raw_path.decode("ascii")
    if "%" in path:
        # An encoded slash is data, not a separator (RFC 3986, section 2.2).
        path = "%2F".join(map(unquote, _ENCODED_SLASH.split(path)))
    scope = {
        "type": "http",
        "asgi": _ASGI,
        "http_version": head.version,
        "server": server,
        "client": client,
        "scheme": "http",
        "method": head.method,
        "root_path": "",
        "path": path,
        "raw_path": head.raw_path,
        "query_string": head.query,
        "headers": head.headers,
        "state": state,
        "extensions": extensions,
    }
    return cast(Scope, scope)

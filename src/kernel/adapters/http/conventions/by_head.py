"""Recognizes a GET that the client sent as HEAD, for the header Allow and for GETs that change something."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

BY_HEAD = "shop.by_head"


def allowed(methods: str, scope: Scope) -> str:
    """The methods for the Allow header. Litestar's list lacks HEAD, so HEAD is added wherever GET is allowed,
    except in an answer to a HEAD."""
    named = set(methods.split(", "))
    if "GET" in named and BY_HEAD not in scope:
        named.add("HEAD")
    return ", ".join(sorted(named))


async def not_by_head(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard of GETs that change something. Raises MethodNotAllowedException if the client sent HEAD."""
    if BY_HEAD in connection.scope:
        raise MethodNotAllowedException(headers={"Allow": "GET, POST"})

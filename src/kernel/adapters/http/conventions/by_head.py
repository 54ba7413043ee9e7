"""Knows whether a GET came as HEAD, for the header Allow and for GETs that change something."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

BY_HEAD = "shop.by_head"


def allowed(methods: str, scope: Scope) -> str:
    """The methods for the Allow header. Litestar does not list HEAD, so it is added wherever GET is allowed,
    except in the answer that refuses a HEAD."""
    named = set(methods.split(", "))
    if "GET" in named and BY_HEAD not in scope:
        named.add("HEAD")
    return ", ".join(sorted(named))


async def not_by_head(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard, for a GET that changes something. Raises MethodNotAllowedException."""
    if BY_HEAD in connection.scope:
        raise MethodNotAllowedException(headers={"Allow": "GET, POST"})

from typing import Any

from litestar import Router
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import ControllerRouterHandler

from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.operators import consumers, parked
from kernel.adapters.http.operators.overview import get_overview
from kernel.adapters.http.operators.record import list_acts

PATH = "/ops"
TAG = {"Operators": "For the gateway, which joins the services' answers for operators."}


def operators_routes(*own: ControllerRouterHandler) -> Router:
    """Operators' routes: those of every service, and this service's `own`. Only services may call them."""
    handlers = [list_acts, get_overview, *parked.HANDLERS, *consumers.HANDLERS, *own]
    return Router(PATH, route_handlers=handlers, guards=[_for_services], tags=[*TAG])


def _for_services(_: ASGIConnection[Any, Any, Any, Any], __: BaseRouteHandler) -> None:
    """A guard. Raises Forbidden if the caller is not a service."""
    calling().require_service()

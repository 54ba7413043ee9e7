"""All routes for operators."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from gateway.adapters.inbound.ops import consumers, parked
from gateway.adapters.inbound.ops.audit import begin_audit, read_audit
from gateway.adapters.inbound.ops.customers import OperatedAccountsController, OperatedOrdersController
from gateway.adapters.inbound.ops.explain import explain_order
from gateway.adapters.inbound.ops.overview import read_overview
from gateway.adapters.inbound.ops.record import read_record

OPS = "/ops"
TAG = {"Operators": "For operators. Viewers may only read. In open mode everybody may read and change."}


def ops_routes() -> Router:
    handlers: list[ControllerRouterHandler] = [
        read_overview,
        explain_order,
        begin_audit,
        read_audit,
        read_record,
        OperatedAccountsController,
        OperatedOrdersController,
        *parked.HANDLERS,
        *consumers.HANDLERS,
    ]
    return Router(OPS, route_handlers=handlers, tags=[*TAG])

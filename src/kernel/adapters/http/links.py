"""Which operation follows which, and what it needs of the first one's answer (OpenAPI links)."""

from typing import Any

Link = dict[str, Any]


def _to(*operations: str, **parameters: str) -> dict[str, Link]:
    return {name: {"operationId": name, "parameters": parameters} for name in operations}


_ACCOUNT = ("getAccount", "deposit", "listTransactions")
_ORDER = ("getOrder", "getOrderHistory", "cancelOrder", "watchOrder")
_ANSWERED_ORDER = _to(*_ORDER, id="$response.body#/id") | _to("getAccount", userId="$response.body#/userId")
_SPEND = {"userId": "$response.body#/userId", "amount": "$request.body#/amount"}

LINKS: dict[str, dict[str, Link]] = {
    "openAccount": _to(*_ACCOUNT, userId="$response.body#/userId"),
    "getAccount": _to(*_ACCOUNT, userId="$response.body#/userId"),
    "deposit": _to(*_ACCOUNT, userId="$response.body#/userId")
    | {"placeOrder": {"operationId": "placeOrder", "requestBody": _SPEND}},
    "placeOrder": _ANSWERED_ORDER,
    "getOrder": _ANSWERED_ORDER,
    "cancelOrder": _ANSWERED_ORDER,
}


def links_from(operation: str, offered: set[str]) -> dict[str, Link]:
    """To those of the operations that this door offers; an operation is no link from itself."""
    links = LINKS.get(operation, {})
    return {name: link for name, link in links.items() if name in offered - {operation}}

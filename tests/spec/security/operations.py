"""Every operation of the three documents as a request, and the callers that it is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from shop.services import load_shop
from tests.spec.security.conftest import Guarded

NOBODY = "nobody-at-all"
NO_ORDER = "01970000-0000-7000-8000-000000000000"


class Kind(Enum):
    OPEN = "open to all"
    METRICS = "for those who see all, and services"
    SERVICES = "for services"
    ALL_SEEN = "for those who see all; at a service, through another one"
    ACTED = "for operators; at a service, through another one"
    OWN = "for whoever has a token, about themselves"
    SEEN = "seen by those who may see whose it is, and else not there"
    DONE = "done by those who may act for whose it is, and else not there"
    SEEN_BY_NAME = "refused to those who name somebody that they may not see"
    DONE_BY_NAME = "refused to those who name somebody that they may not act for"


@dataclass(frozen=True)
class Rule:
    kind: Kind
    body: Any = None
    missing: bool = False
    """Whether the test has nothing of this kind, so that who may is told so."""


ACCOUNT, ORDER, NOTE = {"userId": "{user}"}, {"userId": "{user}", "amount": 1}, {"note": "by phone"}

# The rule of every operation id. A new operation needs a line here, or the test of this table fails.
RULES: Mapping[str, Rule] = {
    "live": Rule(Kind.OPEN),
    "ready": Rule(Kind.OPEN),
    "metrics": Rule(Kind.METRICS),
    "openAccount": Rule(Kind.DONE_BY_NAME, ACCOUNT),
    "getAccount": Rule(Kind.SEEN),
    "listTransactions": Rule(Kind.SEEN),
    "deposit": Rule(Kind.DONE, {"amount": 1}),
    "depositByGet": Rule(Kind.DONE),
    "admitOrders": Rule(Kind.SERVICES, [ORDER]),
    "placeOrder": Rule(Kind.DONE_BY_NAME, ORDER),
    "placeOrders": Rule(Kind.DONE_BY_NAME, [ORDER]),
    "listOrders": Rule(Kind.SEEN_BY_NAME),
    "getOrder": Rule(Kind.SEEN),
    "getOrderHistory": Rule(Kind.SEEN),
    "watchOrder": Rule(Kind.SEEN),
    "cancelOrder": Rule(Kind.DONE),
    "getSession": Rule(Kind.OPEN),
    "signIn": Rule(Kind.OPEN),
    "finishSignIn": Rule(Kind.OPEN),
    "beginSession": Rule(Kind.OWN),
    "endSession": Rule(Kind.OWN),
    "listActs": Rule(Kind.ALL_SEEN),
    "freezeAccount": Rule(Kind.ACTED, NOTE),
    "unfreezeAccount": Rule(Kind.ACTED, NOTE),
    "correctAccount": Rule(Kind.ACTED, {"amount": 1} | NOTE),
    "cancelForCustomer": Rule(Kind.ACTED, NOTE),
    "explainInOrders": Rule(Kind.ALL_SEEN),
    "explainInPayments": Rule(Kind.ALL_SEEN),
    "explainOrder": Rule(Kind.ALL_SEEN),
    "readRecord": Rule(Kind.ALL_SEEN),
    "listParked": Rule(Kind.ALL_SEEN),
    "readParked": Rule(Kind.ALL_SEEN),
    "listParkedGroups": Rule(Kind.ALL_SEEN),
    "readParkedGroups": Rule(Kind.ALL_SEEN),
    "getParked": Rule(Kind.ALL_SEEN, missing=True),
    "getParkedGroup": Rule(Kind.ALL_SEEN, missing=True),
    "getOperation": Rule(Kind.ALL_SEEN, missing=True),
    "replayParked": Rule(Kind.ACTED, missing=True),
    "replayParkedGroup": Rule(Kind.ACTED, missing=True),
    "releaseParkedGroup": Rule(Kind.ACTED, missing=True),
    "discardParked": Rule(Kind.ACTED, NOTE, missing=True),
    "discardParkedGroup": Rule(Kind.ACTED, NOTE, missing=True),
    "holdParkedGroup": Rule(Kind.ACTED, {"owner": "ada"}, missing=True),
    "listConsumers": Rule(Kind.ALL_SEEN),
    "readConsumers": Rule(Kind.ALL_SEEN),
    "pauseConsumer": Rule(Kind.ACTED, NOTE, missing=True),
    "resumeConsumer": Rule(Kind.ACTED, NOTE, missing=True),
    "getOverview": Rule(Kind.ALL_SEEN),
    "readOverview": Rule(Kind.ALL_SEEN),
    "readSeries": Rule(Kind.ALL_SEEN),
    "readAudit": Rule(Kind.ALL_SEEN),
    "beginAudit": Rule(Kind.ACTED),
    "listClaims": Rule(Kind.SERVICES),
    "readClaims": Rule(Kind.SERVICES, [{"userId": "{user}", "orderId": "{order}"}]),
    "runChecks": Rule(Kind.SERVICES),
    "readChanges": Rule(Kind.SERVICES, ["{order}"]),
}
QUERIES = {"depositByGet": "?amount=1", "listOrders": "?userId={user}"}


@dataclass(frozen=True)
class Operation:
    service: str
    method: str
    path: str
    id: str

    @property
    def rule(self) -> Rule:
        return RULES[self.id]

    @property
    def is_for_operators(self) -> bool:
        return self.rule.kind in (Kind.ALL_SEEN, Kind.ACTED)

    @property
    def is_internal(self) -> bool:
        return self.rule.kind is Kind.SERVICES or (self.is_for_operators and self.service != "gateway")

    def __str__(self) -> str:
        return f"{self.service}-{self.id}"

    def url(self, shop: Guarded, user: str, order: str) -> str:
        path = self.path.replace("{userId}", user).replace("{id}", order).replace("{service}", NOBODY)
        return f"{shop.urls[self.service]}{path}{QUERIES.get(self.id, '').format(user=user)}"

    def body(self, user: str, order: str) -> Any:
        text = msgspec.json.encode(self.rule.body).decode()
        return msgspec.json.decode(text.replace("{user}", user).replace("{order}", order))


def _operations() -> list[Operation]:
    shop = load_shop({})
    return [
        Operation(name, method.upper(), path, operation["operationId"])
        for name, service in shop.services.items()
        for path, operations in msgspec.json.decode(service.load_main().api(shop.settings[name]).openapi)[
            "paths"
        ].items()
        for method, operation in operations.items()
    ]


OPERATIONS = _operations()


def those(*kinds: Kind) -> list[Operation]:
    return [operation for operation in OPERATIONS if operation.id in RULES and operation.rule.kind in kinds]

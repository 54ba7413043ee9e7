"""The operation that reads the facts stored about an order, and the conversion of the HTTP body."""

from datetime import datetime
from uuid import UUID

from kernel.adapters.http.documents.operations import Operation
from kernel.adapters.http.operators.declaring import read
from kernel.contracts.operators import FactsOfOrder, StoredFact, trace_text
from kernel.domain.facts import Fact, Part, What

# The path of the operation, in the services and in the gateway.
PATH = "/{id:str}"
EXAMPLE = StoredFact(
    at=datetime.fromisoformat("2026-01-01T12:00:00Z"),
    service="orders",
    what="in_outbox",
    source="outbox",
    detail="shop.orders.order-placed.v1",
)


def explain(service: str) -> Operation:
    return read(
        PATH,
        f"explainIn{service.capitalize()}",
        f"What {service} has stored about an order",
        answer=(FactsOfOrder, "Its facts", FactsOfOrder("alice", [EXAMPLE])),
    )


def facts_body(part: Part) -> FactsOfOrder:
    facts = [fact_body(fact) for fact in part.facts]
    return FactsOfOrder(part.user_id, facts, list(part.unread), trace_text(part.trace_id))


def fact_body(fact: Fact) -> StoredFact:
    return StoredFact(fact.at, fact.service, fact.what.value, fact.source, fact.detail, fact.seen)


def part_of(body: FactsOfOrder) -> Part:
    facts = [
        Fact(at=f.at, service=f.service, what=What(f.what), source=f.source, detail=f.detail, seen=f.seen)
        for f in body.facts
    ]
    trace_id = None if body.trace_id is None else UUID(hex=body.trace_id)
    return Part(facts=facts, user_id=body.user_id, unread=body.unread, trace_id=trace_id)

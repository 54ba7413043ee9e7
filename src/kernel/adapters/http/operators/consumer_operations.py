"""Declares the operations on consumers, for the routes of the services and of the gateway."""

from datetime import datetime
from typing import Annotated

from litestar.openapi.spec import Example
from litestar.params import PathParameter

from kernel.adapters.http.documents.operations import Operation, body
from kernel.adapters.http.operators.declaring import change, read
from kernel.adapters.http.parsing.body import WithBodyIfAny
from kernel.contracts.consumers import Consumer, Pause, PauseOrResume

PAUSED = Consumer(
    "payments", Pause("ada", "the provider is down", datetime.fromisoformat("2026-01-01T12:00:00Z"))
)

ServiceName = Annotated[str, PathParameter(name="service", examples=[Example(value="payments")])]
NoteBody = Annotated[PauseOrResume, body({"note": "the provider is down"})]
NO_NOTE = PauseOrResume()


def _changes(act: str, operation_id: str, summary: str, description: str) -> Operation:
    changed = change(
        f"/consumers/{{service:str}}/{act}",
        operation_id,
        summary,
        (404, "service_not_found"),
        answer=(Consumer, "The consumer", PAUSED),
        has_body=True,
    )
    return changed | Operation(description=description, operation_class=WithBodyIfAny)


LIST_CONSUMERS = read(
    "/consumers",
    "listConsumers",
    "The consumer of this service, and whether it is paused",
    answer=(list[Consumer], "The consumer", [PAUSED]),
)
PAUSE_CONSUMER = _changes(
    "pause",
    "pauseConsumer",
    "Pause the consumer of a service: it takes no more messages",
    "All replicas pause within 2 seconds, and finish the messages that they have taken.",
)
RESUME_CONSUMER = _changes(
    "resume",
    "resumeConsumer",
    "Resume the consumer of a service: it takes messages again",
    "All replicas resume within 2 seconds.",
)

"""Messages are counted under the names of the semantic conventions, also those that fail."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import pytest
from prometheus_client import CollectorRegistry

from kernel.adapters.telemetry.messaging import MessagingMetrics
from kernel.domain.errors import Unavailable
from kernel.ports.bus import ConsumerPaused, Envelope


class Bus:
    def __init__(self, refusal: Exception | None) -> None:
        self.refusal = refusal

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        if self.refusal is not None:
            raise self.refusal


def raised(refusal: Exception | None) -> AbstractContextManager[object]:
    return nullcontext() if refusal is None else pytest.raises(type(refusal))


def told(registry: CollectorRegistry, name: str, operation: str, place: str, error: str) -> float | None:
    labels = {
        "messaging_system": "rabbitmq",
        "messaging_operation_name": operation,
        "messaging_destination_name": place,
        "error_type": error,
    }
    return registry.get_sample_value(name, labels)


@pytest.mark.parametrize("refusal", [None, Unavailable("away"), ConsumerPaused("paused")])
async def test_a_publish_is_counted_by_messages_and_measured_as_one_call(refusal: Exception | None) -> None:
    registry = CollectorRegistry()
    publisher = MessagingMetrics(registry, "rabbitmq", "orders").publisher(Bus(refusal))
    error = type(refusal).__name__ if refusal else ""
    for _ in range(2):
        with raised(refusal):
            await publisher.publish([Envelope("placed", b"[]")] * 3)
    assert told(registry, "messaging_client_sent_messages_total", "publish", "placed", error) == 6
    duration = "messaging_client_operation_duration_seconds_count"
    assert told(registry, duration, "publish", "placed", error) == 2


@pytest.mark.parametrize("refusal", [None, ValueError("a bug")])
async def test_consumed_messages_are_counted_and_measured_by_the_queue_of_the_service(
    refusal: Exception | None,
) -> None:
    registry = CollectorRegistry()

    async def handle(_: bytes) -> None:
        if refusal is not None:
            raise refusal

    measured = MessagingMetrics(registry, "rabbitmq", "orders").handler(handle)
    with raised(refusal):
        await measured(b"[]")
    error = type(refusal).__name__ if refusal else ""
    for name in ("messaging_client_consumed_messages_total", "messaging_process_duration_seconds_count"):
        assert told(registry, name, "process", "orders", error) == 1

"""The AsyncAPI 3.0 document of a service: what it sends and receives, and how that travels on RabbitMQ."""

from typing import Any

from kernel.adapters.rabbit.session import CONTENT_TYPE
from kernel.adapters.rabbit.topology import EXCHANGE, service_queue
from kernel.application.envelopes import ENVELOPE_EVENTS_MAX
from kernel.contracts import examples
from kernel.contracts.catalog import CATALOG, consumed_by, notified_by, published_by
from kernel.contracts.schema import schemas
from kernel.contracts.values import encode

Json = dict[str, Any]

_DESCRIPTION = (
    "Events are published at least once, in no order that anybody may rely on: a repeated one has the same"
    " `source` and `id`. Those that no service has to get, only where somebody listens, and at most once."
    f" A message is a batch of 1 to {ENVELOPE_EVENTS_MAX} events of one type (CloudEvents"
    " 1.0, JSON batch format); consumers also take a single event (application/cloudevents+json). Fields that"
    " are not known are to be ignored."
)
_PERSISTENT = 2


def asyncapi(service: str, version: str) -> bytes:
    """In JSON; the same catalogue gives the same bytes."""
    sent, received = [*published_by(service), *notified_by(service)], consumed_by(service)
    types = sorted([*sent, *received])
    return encode(
        {
            "asyncapi": "3.0.0",
            "id": f"urn:shop:{service}",
            "info": {"title": service.capitalize(), "version": version, "description": _DESCRIPTION},
            "defaultContentType": CONTENT_TYPE,
            "channels": {name: _channel(name) for name in types},
            "operations": {f"send{_title(name)}": _send(name) for name in sorted(sent)}
            | {f"receive{_title(name)}": _receive(name, service) for name in sorted(received)},
            "components": {
                "messages": {name: _message(name) for name in types},
                "schemas": schemas([CATALOG[name].struct for name in types]),
            },
        }
    )


def _title(name: str) -> str:
    return CATALOG[name].struct.__name__


def _channel(name: str) -> Json:
    exchange = {"name": EXCHANGE.name, "type": EXCHANGE.type.value, "durable": EXCHANGE.durable}
    return {
        "address": name,
        "description": "The routing key is the type of the event.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _send(name: str) -> Json:
    message = CATALOG[name]
    binding = {"deliveryMode": _PERSISTENT, "mandatory": True, "bindingVersion": "0.3.0"}
    summary = (
        f"Sent; the {message.consumer} service must get it."
        if message.consumer
        else "Sent at most once, and only where somebody listens."
    )
    return _operation("send", name, summary) | {"bindings": {"amqp": binding}}


def _receive(name: str, service: str) -> Json:
    queue = service_queue(service).name
    return _operation("receive", name, f"Received from the queue `{queue}`.") | {
        "bindings": {"amqp": {"ack": True, "bindingVersion": "0.3.0"}}
    }


def _operation(action: str, name: str, summary: str) -> Json:
    channel = f"#/channels/{name}"
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"}],
    }


def _message(name: str) -> Json:
    batch = {"type": "array", "minItems": 1, "maxItems": ENVELOPE_EVENTS_MAX, "items": _event(name)}
    return {
        "name": name,
        "title": _title(name),
        "contentType": CONTENT_TYPE,
        "payload": batch,
        "examples": [{"payload": [examples.event(name, CATALOG[name].publisher)]}],
    }


def _event(name: str) -> Json:
    """CloudEvents 1.0, section 3.1; which of its optional attributes are there, and what they hold."""
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "required": ["id", "source", "type", "specversion", "time", "subject", "traceparent", "data"],
        "properties": {
            "id": text,
            "source": text,
            "type": {"const": name},
            "specversion": {"const": "1.0"},
            "time": {"type": "string", "format": "date-time"},
            "subject": {"type": "string", "format": "uuid", "description": "The order's id."},
            "traceparent": {"type": "string", "description": "W3C Trace Context."},
            "requestid": {**text, "description": "X-Request-Id of the call behind it, where it is known."},
            "idempotencykey": {**text, "description": "The order's, where it is known."},
            "data": {"$ref": f"#/components/schemas/{_title(name)}"},
        },
    }

"""Generates the AsyncAPI 3.0 document of a service: what it sends and receives over RabbitMQ."""

from typing import Any

from kernel.adapters.rabbit.session import CONTENT_TYPE
from kernel.adapters.rabbit.topology import EXCHANGE, service_queue
from kernel.application.envelopes import ENVELOPE_EVENTS_MAX
from kernel.contracts.messaging import Catalog, Messaging
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


def asyncapi(service: str, version: str, catalog: Catalog) -> bytes:
    """The AsyncAPI document of `service` as JSON. The same arguments give the same bytes."""
    messaging = catalog.of(service)
    sent, received = sorted(messaging.sends), sorted(messaging.subscribes)
    types = sorted([*sent, *received])
    structs = {name: catalog.publisher_of(name).sends[name] for name in types}
    titles = {name: struct.__name__ for name, struct in structs.items()}
    return encode(
        {
            "asyncapi": "3.0.0",
            "id": f"urn:shop:{service}",
            "info": {"title": service.capitalize(), "version": version, "description": _DESCRIPTION},
            "defaultContentType": CONTENT_TYPE,
            "channels": {name: _channel(name) for name in types},
            "operations": {f"send{titles[name]}": _send(name, messaging, catalog) for name in sent}
            | {f"receive{titles[name]}": _receive(name, service) for name in received},
            "components": {
                "messages": {
                    name: _message(name, titles[name], catalog.publisher_of(name)) for name in types
                },
                "schemas": schemas(structs.values()),
            },
        }
    )


def _channel(name: str) -> Json:
    exchange = {"name": EXCHANGE.name, "type": EXCHANGE.type.value, "durable": EXCHANGE.durable}
    return {
        "address": name,
        "description": "The routing key is the type of the event.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _send(name: str, messaging: Messaging, catalog: Catalog) -> Json:
    binding = {"deliveryMode": _PERSISTENT, "mandatory": True}
    if name in messaging.notifies:
        summary = "Sent at most once, and only where somebody listens."
    else:
        must_get = [f"the {service} service must get it" for service in catalog.subscribers_of(name)]
        summary = "; ".join(["Sent", *must_get]) + "."
    return _operation("send", name, summary, binding)


def _receive(name: str, service: str) -> Json:
    queue = service_queue(service).name
    return _operation("receive", name, f"Received from the queue `{queue}`.", {"ack": True})


def _operation(action: str, name: str, summary: str, binding: Json) -> Json:
    channel = f"#/channels/{name}"
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"}],
        "bindings": {"amqp": {**binding, "bindingVersion": "0.3.0"}},
    }


def _message(name: str, title: str, publisher: Messaging) -> Json:
    event = _event(name, title, publisher.subject)
    batch = {"type": "array", "minItems": 1, "maxItems": ENVELOPE_EVENTS_MAX, "items": event}
    examples = [_example(name, publisher)] if name in publisher.examples else []
    return {
        "name": name,
        "title": title,
        "contentType": CONTENT_TYPE,
        "payload": batch,
        "examples": [{"payload": [example]} for example in examples],
    }


def _event(name: str, title: str, subject: str) -> Json:
    """The JSON schema of one event (CloudEvents 1.0, section 3.1), with the shop's optional attributes."""
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
            "subject": {"type": "string", "format": "uuid", "description": f"The {subject}'s id."},
            "traceparent": {"type": "string", "description": "W3C Trace Context."},
            "requestid": {**text, "description": "X-Request-Id of the call behind it, where it is known."},
            "idempotencykey": {**text, "description": f"The {subject}'s, where it is known."},
            "data": {"$ref": f"#/components/schemas/{title}"},
        },
    }


def _example(name: str, publisher: Messaging) -> Json:
    return {
        "id": "0198c1a2-9d5e-7f60-8172-839405162738",
        "source": f"/shop/{publisher.service}",
        "type": name,
        "specversion": "1.0",
        "time": "2026-01-31T12:00:00.123456Z",
        "subject": "0198c1a2-7b3c-7d4e-8f50-617283940516",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "requestid": "0af7651916cd43dd8448eb211c80319c",
        "idempotencykey": "cart-1001",
        "data": publisher.examples[name],
    }

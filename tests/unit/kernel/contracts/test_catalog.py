"""The catalogue of messages: what services declare, put together."""

import json

import msgspec
import pytest

from kernel.adapters.rabbit.asyncapi import asyncapi
from kernel.contracts.messaging import Catalog, Messaging
from kernel.domain.errors import Invalid

HAPPENED, COMPARED, UNHEARD = "shop.a.happened.v1", "shop.a.told.v1", "shop.a.unheard.v1"


class HappenedV1(msgspec.Struct, frozen=True):
    number: int


class ToldV1(msgspec.Struct, frozen=True):
    text: str


class UnheardV1(msgspec.Struct, frozen=True):
    pass


A = Messaging(
    service="a",
    subject="parcel",
    publishes={HAPPENED: HappenedV1, UNHEARD: UnheardV1},
    notifies={COMPARED: ToldV1},
    examples={HAPPENED: {"number": 1}},
)
B = Messaging(service="b", subscribes=[HAPPENED])
C = Messaging(service="c", subscribes=[HAPPENED])


def test_a_type_has_any_number_of_subscribers() -> None:
    for services, subscribers in (([A], []), ([A, B], ["b"]), ([C, A, B], ["c", "b"])):
        assert Catalog(services).subscribers_of(HAPPENED) == subscribers
    assert Catalog([A, B]).subscribers_of(UNHEARD) == []


def test_a_type_has_one_publisher_whether_it_may_be_lost_or_not() -> None:
    catalog = Catalog([A, B])
    assert catalog.publisher_of(HAPPENED) is catalog.publisher_of(COMPARED) is A


@pytest.mark.parametrize("field", ["publishes", "notifies"])
def test_a_type_that_two_services_publish_is_a_mistake(field: str) -> None:
    other = Messaging(service="d", **{field: {HAPPENED: HappenedV1}})
    with pytest.raises(Invalid) as caught:
        Catalog([A, B, other])
    assert caught.value.detail == "shop.a.happened.v1 is published by a and by d"


@pytest.mark.parametrize("nowhere", ["shop.a.hapened.v1", COMPARED])
def test_a_subscription_to_what_nobody_publishes_is_a_mistake(nowhere: str) -> None:
    with pytest.raises(Invalid) as caught:
        Catalog([A, Messaging(service="d", subscribes=[nowhere])])
    assert caught.value.detail == f"d subscribes to {nowhere}, which nobody publishes"


def test_the_document_names_every_subscriber_and_what_the_events_are_about() -> None:
    document = json.loads(asyncapi("a", "1.0", Catalog([A, B, C])))
    summaries = {name: operation["summary"] for name, operation in document["operations"].items()}
    assert summaries == {
        "sendHappenedV1": "Sent; the b service must get it; the c service must get it.",
        "sendToldV1": "Sent at most once, and only where somebody listens.",
        "sendUnheardV1": "Sent.",
    }
    messages = document["components"]["messages"]
    (example,) = messages[HAPPENED]["examples"]
    assert example["payload"][0]["data"] == {"number": 1}
    assert messages[UNHEARD]["examples"] == []
    event = messages[HAPPENED]["payload"]["items"]["properties"]
    assert event["subject"]["description"] == "The parcel's id."

"""A value of the domain and its published body have the same fields, so nothing is lost between them."""

from dataclasses import fields
from typing import Any
from uuid import UUID

import msgspec
import pytest

from kernel.contracts import consumers, operators
from kernel.contracts import parked as published
from kernel.contracts.values import same_fields
from kernel.domain import overview, parked, pauses
from kernel.domain.acts import Act
from payments.contract import http
from payments.domain.claims import KnownPayment
from tests.memory.clock import EPOCH

WAITING = overview.WaitingEvents("shop.orders.order-placed.v1", 3, EPOCH)
PAIRS = [
    (
        Act(
            user_id="alice",
            subject=UUID(int=1),
            did="deposit",
            about="so",
            operator="ada",
            through="gateway",
            note="why",
            at=EPOCH,
        ),
        operators.RecordedAct,
        {"service"},
    ),
    (
        parked.Hold(owner="ada", note="why", ticket="OPS-7", held_by="bob", held_at=EPOCH),
        published.Held,
        set(),
    ),
    (pauses.Pause(by="ada", note="why", since=EPOCH), consumers.Pause, set()),
    (
        overview.ServiceOverview(
            service="orders",
            version="1",
            schema=8,
            schema_needed=9,
            waiting=[WAITING],
            set_aside=[overview.SetAsideEvents(2, 1, EPOCH)],
            parked={"refused": 1},
            held=2,
            broker=True,
            paused=True,
            on_time=True,
        ),
        operators.ServiceOverview,
        set(),
    ),
    (
        KnownPayment(
            user_id="alice",
            order_id=UUID(int=1),
            decision="declined",
            reason="insufficient_funds",
            created_at=EPOCH,
            amount=5000,
            currency="RUB",
            refunded_at=EPOCH,
            waiting=True,
        ),
        http.KnownPayment,
        {"known"},
    ),
]


@pytest.mark.parametrize(("value", "kind", "only_published"), PAIRS)
def test_a_body_has_the_fields_of_the_value_and_gives_it_back(
    value: Any, kind: type[msgspec.Struct], only_published: set[str]
) -> None:
    assert set(kind.__struct_fields__) - only_published == {field.name for field in fields(value)}
    assert same_fields(same_fields(value, kind), type(value)) == value

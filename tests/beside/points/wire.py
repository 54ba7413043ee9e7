from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kernel.adapters.cloudevents import Decoders, Origin, decode_events, encode_event
from kernel.contracts.values import UserId
from kernel.domain.events import Received, Unhandled
from points import contract
from points.domain import PaymentCaptured, PointsEarned


def encode(event: PointsEarned, event_id: UUID, at: datetime) -> tuple[str, bytes]:
    data = contract.PointsEarnedV1(event.order_id, UserId(event.user_id), event.points)
    source, kind = "/shop/points", contract.POINTS_EARNED
    return kind, encode_event(event, event_id, at, source=source, type=kind, data=data)


def _captured(data: contract.PaymentCaptured, origin: Origin) -> PaymentCaptured:
    return PaymentCaptured(order_id=data.order_id, user_id=data.user_id, **origin)


DECODERS: Decoders[PaymentCaptured] = {contract.PAYMENT_CAPTURED: (contract.PaymentCaptured, _captured)}


def decode(body: bytes) -> Sequence[Received[PaymentCaptured] | Unhandled]:
    return decode_events(body, DECODERS)

"""An order to be placed at the orders service, its outcome, and the changes of its status."""

from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.errors import NotFound, OutcomeUnknown
from kernel.domain.value import value

UNDECIDED = "NEW"
FINAL = frozenset({"FINISHED", "CANCELLED", "REFUNDED"})


@value(kw_only=True)
class PlacementRequest:
    """A command to place an order. It may be sent repeatedly, because `body` is JSON with an idempotency key,
    and never changes.

    `own_key`: the gateway made the key, because the client gave none. `traceparent` (W3C Trace Context) and
    `request_id` come from the client's call; both may be empty.
    """

    caller: Caller
    user_id: str
    body: bytes
    own_key: bool
    traceparent: str = ""
    request_id: str = ""

    def placed(self, order_id: UUID, status: str, order: bytes, *, replayed: bool) -> "Placed":
        """If the gateway made the key, only the gateway repeats the order, so the client sees no replay."""
        return Placed(order_id, self.user_id, status, order, replayed and not self.own_key)


@value
class Placed:
    """The order was placed. `order` is its JSON from the orders service; `status` is the status in it."""

    order_id: UUID
    user_id: str
    status: str
    order: bytes
    replayed: bool

    @property
    def decided(self) -> bool:
        return self.status != UNDECIDED

    def as_of(self, change: "Change") -> "Placed":
        """Returns this outcome with the order as it was right after the change."""
        return Placed(self.order_id, self.user_id, change.status, change.order, self.replayed)

    @property
    def first_change(self) -> "Change":
        """The only change of an undecided order. A request to cancel the order does not change its status."""
        return Change(self.order_id, self.user_id, 1, self.status, self.order)


@value
class Waited:
    """The result of a wait for the decision about an order. The order may still be undecided."""

    placed: Placed


@value
class Rejected:
    """The order was refused. `problem` is the JSON of a problem (RFC 9457) for the answer to the client."""

    status: int
    problem: bytes


Outcome = Placed | Rejected


def after_a_lost_answer(outcome: Outcome) -> Outcome | OutcomeUnknown:
    """The outcome of a call that repeats a call whose answer was lost.

    A refusal says only that the repeated call stored nothing: the first call may still run on a replica that
    stalled, and store the order later.
    """
    return OutcomeUnknown("the answer to the order was lost") if isinstance(outcome, Rejected) else outcome


@value
class Change:
    """A change of an order's status. `sequence` counts from 1. `order` is the new JSON of the order."""

    order_id: UUID
    user_id: str
    sequence: int
    status: str
    order: bytes

    @property
    def decided(self) -> bool:
        return self.status != UNDECIDED

    @property
    def final(self) -> bool:
        """Whether no change follows by itself. A FINISHED order may still be refunded on request."""
        return self.status in FINAL


def no_order(order_id: UUID) -> NotFound:
    return NotFound("order_not_found", f"there is no order {order_id}")

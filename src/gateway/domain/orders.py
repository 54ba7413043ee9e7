"""An order on its way to the orders service, what became of it, and how its status changes."""

from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.errors import OutcomeUnknown
from kernel.domain.value import value

UNDECIDED = "NEW"
FINAL = frozenset({"FINISHED", "CANCELLED", "REFUNDED"})


@value(kw_only=True)
class PlacementRequest:
    """A command that may be sent again and again: `body` holds an idempotency key, and stays the same.

    `own_key` says that the key is the gateway's: the client gave none and knows of none. `traceparent` (W3C
    Trace Context) and `request_id` name the call behind it; they are empty where it has no such name.
    """

    caller: Caller
    user_id: str
    body: bytes
    own_key: bool
    traceparent: str = ""
    request_id: str = ""

    def placed(self, order_id: UUID, status: str, order: bytes, *, replayed: bool) -> "Placed":
        """A replay of the gateway's own key is the gateway's own repeat, not the client's."""
        return Placed(order_id, self.user_id, status, order, replayed and not self.own_key)


@value
class Placed:
    """`order` is JSON as the orders service wrote it, and `status` the status in it."""

    order_id: UUID
    user_id: str
    status: str
    order: bytes
    replayed: bool

    @property
    def decided(self) -> bool:
        return self.status != UNDECIDED

    def as_of(self, change: "Change") -> "Placed":
        """The order right after this change."""
        return Placed(self.order_id, self.user_id, change.status, change.order, self.replayed)

    @property
    def first_change(self) -> "Change":
        """All that has happened to it while it is undecided: a wish to cancel it changes nothing."""
        return Change(self.order_id, self.user_id, 1, self.status, self.order)


@value
class Waited:
    """The end of a wait for the decision about an order, which may still be undecided."""

    placed: Placed


@value
class Rejected:
    """`problem` is the JSON of a problem (RFC 9457), as the single route answers it."""

    status: int
    problem: bytes


Outcome = Placed | Rejected


def after_a_lost_answer(outcome: Outcome) -> Outcome | OutcomeUnknown:
    """What the answer to a repeated call says of the order.

    A refusal says that nothing happened, but the call whose answer was lost may still be at work on a replica
    that stalled, and store the order when it goes on.
    """
    return OutcomeUnknown("the answer to the order was lost") if isinstance(outcome, Rejected) else outcome


@value
class Change:
    """A change of an order's status, the first is number 1; `order` is its JSON right after the change."""

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
        """Whether nothing follows by itself; a FINISHED order may still be refunded."""
        return self.status in FINAL

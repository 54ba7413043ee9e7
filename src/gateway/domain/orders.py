"""An order on its way to the orders service, what became of it, and how its status changes."""

from uuid import UUID

from kernel.domain.value import value

UNDECIDED = "NEW"
FINAL = frozenset({"FINISHED", "CANCELLED", "REFUNDED"})


@value(kw_only=True)
class PlaceOrder:
    """A command that may be sent again and again: `body` holds an idempotency key, and stays the same.

    `own_key` says that the key is the gateway's: the client gave none and knows of none. `traceparent` (W3C
    Trace Context) and `request_id` name the call behind it; they are empty where it has no such name.
    """

    body: bytes
    own_key: bool
    traceparent: str = ""
    request_id: str = ""

    def placed(self, order_id: UUID, status: str, order: bytes, *, replayed: bool) -> "Placed":
        """A replay of the gateway's own key is the gateway's own repeat, not the client's."""
        return Placed(order_id, status, order, replayed and not self.own_key)


@value
class Placed:
    """`order` is JSON as the orders service wrote it, and `status` the status in it."""

    order_id: UUID
    status: str
    order: bytes
    replayed: bool

    @property
    def decided(self) -> bool:
        return self.status != UNDECIDED

    @property
    def first_change(self) -> "Change":
        """All that has happened to it while it is undecided: a wish to cancel it changes nothing."""
        return Change(self.order_id, 1, self.status, self.order)


@value
class Rejected:
    """`problem` is the JSON of a problem (RFC 9457), as the single route answers it."""

    status: int
    problem: bytes


Fate = Placed | Rejected


@value
class Change:
    """A change of an order's status, the first is number 1; `order` is its JSON right after the change."""

    order_id: UUID
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

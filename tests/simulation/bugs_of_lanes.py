"""Planted bugs of lanes."""

from typing import Any

from kernel.adapters.lanes.consuming import ConsumerOfLanes
from kernel.domain.events import Received
from payments.domain.events import OrderPlaced
from tests.assembly import Parts
from tests.simulation.bugs import BUGS, Bug
from tests.simulation.promises import Promise


class ChargesInTheFirstLane(ConsumerOfLanes[Any]):
    def _lane_of(self, item: Any) -> int:
        placed = isinstance(item, Received) and isinstance(item.fact, OrderPlaced)
        return 0 if placed else super()._lane_of(item)


BUGS["an order is charged in the ledger of another lane"] = Bug(
    breaks=Promise.IN_ITS_LANE, parts=lambda: Parts(consumer_of_lanes=ChargesInTheFirstLane), lanes=2
)

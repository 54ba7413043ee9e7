"""The metrics of orders, and the decorators that count them."""

from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec

from prometheus_client import CollectorRegistry, Counter, Histogram

from kernel.domain.errors import Refused, ShopError
from kernel.domain.ids import made_at
from orders.domain.order import Placed
from orders.domain.status import Status, StatusChanged
from orders.ports.orders import History

P = ParamSpec("P")

DECISION_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class OrderMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._changes = Counter(
            "shop_order_status_changes",
            "Orders that reached a status. NEW: accepted. FINISHED or CANCELLED: decided.",
            ("status", "reason"),
            registry=registry,
        )
        self._decision = Histogram(
            "shop_order_decision_seconds",
            "Seconds from the call that placed an order to the decision.",
            buckets=DECISION_S,
            registry=registry,
        )
        self._refused = Counter(
            "shop_orders_refused", "Orders that were refused when placed.", ("reason",), registry=registry
        )
        self._unchecked = Counter(
            "shop_orders_unjudged",
            "Orders that were accepted unchecked, because payments did not answer.",
            registry=registry,
        )

    def changed(self, changes: Sequence[StatusChanged]) -> None:
        for labels, count in Tally((change.status, change.reason or "") for change in changes).items():
            self._changes.labels(*labels).inc(count)
        for change in changes:
            if change.status is Status.FINISHED or change.status is Status.CANCELLED:
                self._decision.observe((change.at - made_at(change.order_id)).total_seconds())

    def placing(
        self, place_orders: Callable[P, Awaitable[Sequence[Placed | ShopError]]]
    ) -> Callable[P, Awaitable[Sequence[Placed | ShopError]]]:
        """Wraps the use case, and counts the refused orders by reason."""

        async def counted(*args: P.args, **kwargs: P.kwargs) -> Sequence[Placed | ShopError]:
            outcomes = await place_orders(*args, **kwargs)
            for outcome in outcomes:
                if isinstance(outcome, Refused):
                    self._refused.labels(outcome.code).inc()
            return outcomes

        return counted

    def unchecked(self, count: int) -> None:
        self._unchecked.inc(count)


class ObservedHistory:
    """Counts the status changes once they are committed."""

    def __init__(
        self, history: History, after_commit: Callable[[Callable[[], None]], None], metrics: OrderMetrics
    ) -> None:
        self._history = history
        self._after_commit = after_commit
        self._metrics = metrics

    async def add(self, changes: Sequence[StatusChanged]) -> None:
        await self._history.add(changes)
        self._after_commit(lambda: self._metrics.changed(changes))

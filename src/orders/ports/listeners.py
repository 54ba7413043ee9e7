from collections.abc import Callable, Sequence

from orders.domain.order import OrderStatusChanged

# Notifies listeners of committed changes, soon and at most once. Does not wait for it.
NotifyListeners = Callable[[Sequence[OrderStatusChanged]], None]

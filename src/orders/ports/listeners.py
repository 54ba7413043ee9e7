from collections.abc import Callable, Sequence

from orders.domain.order import OrderStatusChanged

# Notifies whoever listens of the changes that were committed: soon, at most once. Returns at once.
NotifyListeners = Callable[[Sequence[OrderStatusChanged]], None]

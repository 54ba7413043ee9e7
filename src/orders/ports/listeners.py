from collections.abc import Callable, Sequence

from orders.domain.order import OrderStatusChanged

# Notifies listeners of committed changes, at most once. Returns without waiting for the notification.
NotifyListeners = Callable[[Sequence[OrderStatusChanged]], None]

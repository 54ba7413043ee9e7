from collections.abc import Callable, Sequence

from orders.domain.order import OrderStatusChanged

# Tells whoever wants to know how orders fare of what was committed: soon, at most once. Returns at once.
TellListeners = Callable[[Sequence[OrderStatusChanged]], None]

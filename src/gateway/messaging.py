from kernel.contracts.messaging import Messaging
from orders.contract.messages import ORDER_STATUS_CHANGED

# The gateway only listens to notifications. A lost notification is no fault.
MESSAGING = Messaging(service="gateway", listens=[ORDER_STATUS_CHANGED])

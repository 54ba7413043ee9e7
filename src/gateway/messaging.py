from kernel.contracts.messaging import Messaging
from orders.contract.messages import ORDER_STATUS_CHANGED

# It only listens to notifications, which nobody has to receive.
MESSAGING = Messaging(service="gateway", listens=[ORDER_STATUS_CHANGED])

from kernel.contracts.messaging import Messaging
from orders import wire
from orders.contract.messages import EXAMPLES, NOTIFIES, PUBLISHES

MESSAGING = Messaging(
    service="orders",
    subject="order",
    publishes=PUBLISHES,
    notifies=NOTIFIES,
    subscribes=wire.DECODERS,
    examples=EXAMPLES,
)

from kernel.contracts.messaging import Messaging
from payments import wire
from payments.contract.messages import EXAMPLES, PUBLISHES

MESSAGING = Messaging(
    service="payments", subject="order", publishes=PUBLISHES, subscribes=wire.DECODERS, examples=EXAMPLES
)

from kernel.contracts.messaging import Messaging

# It only listens to notifications, which nobody has to receive.
MESSAGING = Messaging(service="gateway")

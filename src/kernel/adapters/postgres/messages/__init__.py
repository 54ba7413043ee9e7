"""The inbox, the outbox and the parked messages of a service, and the operations of operators on them."""

"""The inbox, the outbox and the parked messages of a service, and what operators do about them."""

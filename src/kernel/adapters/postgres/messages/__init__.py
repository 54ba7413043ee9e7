"""The inbox, the outbox and the parked messages of a service."""

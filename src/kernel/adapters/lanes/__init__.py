"""Which lane a user and an order are in, and ports over all lanes (docs/decisions/0023-lanes.md)."""

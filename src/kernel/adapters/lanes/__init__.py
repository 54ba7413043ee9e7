"""Finds the lane of a user or an order, and joins the lanes' ports (docs/decisions/0023-lanes.md)."""

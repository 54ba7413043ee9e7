"""Conventions of all routes: problems, idempotency, paging, conditional reads, headers."""

"""What every route keeps to: problems, idempotency, paging, conditional reads, headers."""

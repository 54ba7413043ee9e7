"""Orders and their history in PostgreSQL; every statement takes a whole batch."""

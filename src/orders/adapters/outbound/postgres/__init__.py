"""Orders and their histories in PostgreSQL. Every statement handles a whole batch."""

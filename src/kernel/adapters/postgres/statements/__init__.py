"""Runs SQL statements on the driver: units of work, transactions, single reads, and batches of rows."""

"""Runs statements, in transactions and units of work or as single reads, on the driver; batches as arrays."""

"""How statements run: the driver, transactions, units of work, reads, batches as arrays."""

"""Connects to PostgreSQL: URLs, their parameters, hosts and failover, the pool, and translated errors."""

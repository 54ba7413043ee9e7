"""From a URL to a connection of the pool: parameters, hosts, failover, and the translation of errors."""

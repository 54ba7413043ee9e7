"""From a URL to a connection of the pool: parameters, hosts, failover, and what failures mean."""

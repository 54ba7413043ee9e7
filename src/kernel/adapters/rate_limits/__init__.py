"""Rate limits, counted by the library `limits`. Its sliding window counter keeps only two numbers for each
user or address.

The modules, lowest first: `counters` calls the library. `in_memory` stores the counts of one process, and
`shared` those of all replicas. `rate_limits` uses both.
"""

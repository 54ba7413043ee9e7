"""Rate limits. The library `limits` counts calls with a sliding window counter, which stores only two numbers
for each user or address.

The modules, lowest first: `counters` calls the library. `in_memory` stores the counts of one process, and
`shared` stores the counts of all replicas. `rate_limits` uses `in_memory` and `shared`.
"""

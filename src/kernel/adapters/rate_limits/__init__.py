"""Rate limits, counted by the library `limits`. Its sliding window counter keeps two numbers for each user or
address, however many calls there are.

From the ground up: `counters` asks the library; `in_memory` stores what one process counts, `shared` counts
for all replicas; `rate_limits` asks both.
"""

"""How often somebody may call, counted by the library `limits`: its sliding window counter keeps two numbers
for each user or address, however often they call.

From the ground up: `counters` asks the library; `in_memory` stores what one process counts, `shared` counts
for all replicas; `rate_limits` asks both.
"""

"""What one client may make the HTTP server hold, and for how long."""

from kernel.domain.value import value

KiB = 1024
MiB = 1024 * KiB


@value(kw_only=True)
class Limits:
    head_bytes: int = 16 * KiB
    head_fields: int = 100
    head_within_s: float = 10.0
    body_within_s: float = 30.0
    # Longer than any client's pool keeps an idle connection, or a POST meets a closing one.
    idle_s: float = 75.0
    # A client that takes no byte of its answer for so long is dropped.
    taken_within_s: float = 30.0
    # How long a connection is still read, and what is read dropped, after its last answer. Closing it at once
    # would make the kernel answer the unread bytes with a reset, which may overtake the answer.
    linger_s: float = 2.0
    # Of all connections together: heads, bodies and pipelined bytes of requests that are not answered yet.
    held_bytes: int = 64 * MiB
    connections: int = 10_000
    # No limit where it is None.
    connections_per_address: int | None = None

"""The limits of the HTTP server: sizes, times and numbers of connections."""

from kernel.domain.value import value

KiB = 1024
MiB = 1024 * KiB


@value(kw_only=True)
class Limits:
    head_bytes: int = 16 * KiB
    head_fields: int = 100
    head_within_s: float = 10.0
    body_within_s: float = 30.0
    # Clients' pools keep idle connections for less time, so no POST is sent on a connection that closes.
    idle_s: float = 75.0
    # A client that takes no byte of its answer for this time is dropped.
    taken_within_s: float = 30.0
    # For this time after the last answer, bytes are still read and dropped. See `AnswerWriter.close`.
    linger_s: float = 2.0
    # For all connections together: the heads, bodies and pipelined bytes of requests without an answer.
    held_bytes: int = 64 * MiB
    connections: int = 10_000
    connections_per_address: int | None = None

from collections.abc import Mapping

from kernel.domain.value import value


@value
class Answer:
    """What a service answered, to be passed on as it came; what it refers to are the gateway's own routes."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes

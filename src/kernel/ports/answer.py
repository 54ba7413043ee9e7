from collections.abc import Mapping

from kernel.domain.value import value


@value
class Answer:
    """What a call over HTTP is answered with: made here, or passed on as another service gave it."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes

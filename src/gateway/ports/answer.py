from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered, to be passed on as it came; what it refers to are the gateway's own routes."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes

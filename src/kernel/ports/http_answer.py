from collections.abc import Mapping

from kernel.domain.value import value


@value
class HttpAnswer:
    """What a call over HTTP is answered with: made here, or passed on as another service gave it
    (docs/decisions/0019-the-gateway-is-a-proxy.md)."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def says_nothing_was_done(self) -> bool:
        """What Unavailable is over HTTP."""
        return self.status == 503

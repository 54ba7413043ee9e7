from collections.abc import Mapping

from kernel.domain.value import value


@value
class HttpAnswer:
    """The answer to an HTTP call: made here, or passed on unchanged from another service
    (docs/decisions/0019-the-gateway-is-a-proxy.md)."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def says_nothing_was_done(self) -> bool:
        """Whether the answer has the status of Unavailable."""
        return self.status == 503

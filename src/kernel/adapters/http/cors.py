"""Which pages of other sites may read our answers in a browser (Fetch standard, CORS protocol)."""

from litestar.config.cors import CORSConfig

from kernel.adapters.http.headers import ETAG, LINK, LOCATION, PREFERENCE_APPLIED, REPLAYED
from kernel.adapters.http.idempotency import KEY
from kernel.adapters.request_id import HEADER


def cors_config(origins: str | None) -> CORSConfig | None:
    """For origins separated by commas, or `*` for all; None, and so no page at all, where there are none."""
    if origins is None:
        return None
    return CORSConfig(
        allow_origins=origins.split(","),
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=[
            "Content-Type",
            KEY,
            "If-None-Match",
            "Last-Event-ID",
            "Prefer",
            "traceparent",
            HEADER,
        ],
        expose_headers=[ETAG, LINK, LOCATION, REPLAYED, PREFERENCE_APPLIED, "Retry-After", HEADER],
    )

"""Configures which other sites' pages may read our answers in a browser (CORS, in the Fetch standard)."""

from litestar.config.cors import CORSConfig

from kernel.adapters.http.conventions import headers
from kernel.adapters.http.conventions.idempotency import KEY
from kernel.adapters.request_id import HEADER


def cors_config(origins: str | None) -> CORSConfig:
    """`origins` are separated by commas, or `*` for all. If it is None, no other site may read answers."""
    return CORSConfig(
        allow_origins=origins.split(",") if origins else [],
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
        expose_headers=[
            headers.ETAG,
            headers.LINK,
            headers.LOCATION,
            headers.REPLAYED,
            headers.PREFERENCE_APPLIED,
            headers.RETRY_AFTER,
            headers.RATE_LIMIT,
            headers.RATE_LIMIT_POLICY,
            HEADER,
        ],
    )

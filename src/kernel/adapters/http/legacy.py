"""The seed's own route: a deposit by GET. It stays for its clients, and says what came after it."""

# RFC 9745: since when it is deprecated; RFC 8288: what to use instead.
DEPRECATED_SINCE = "@1767225600"


def deprecation_headers(successor: str) -> dict[str, str]:
    """`successor` is the path of the POST; a cache must never answer in place of a deposit."""
    return {
        "Deprecation": DEPRECATED_SINCE,
        "Link": f'<{successor}>; rel="successor-version"',
        "Cache-Control": "no-store",
    }

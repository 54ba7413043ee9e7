"""The headers of an answer that a rate limit refuses (draft-ietf-httpapi-ratelimit-headers-11)."""

from kernel.adapters.http.conventions.headers import RATE_LIMIT, RATE_LIMIT_POLICY, RETRY_AFTER
from kernel.domain.errors import RateLimited


def rate_limit_headers(error: RateLimited) -> dict[str, str]:
    """The headers say that no call is left until Retry-After has passed."""
    policy, wait_s = f'"{error.policy}"', error.retry_after_s
    return {
        RETRY_AFTER: str(wait_s),
        RATE_LIMIT: f"{policy};r=0;t={wait_s}",
        RATE_LIMIT_POLICY: f"{policy};q={error.quota};w={error.window_s}",
    }

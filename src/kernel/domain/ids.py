"""The grammar of user ids, and the time in a UUIDv7."""

import re
from datetime import UTC, datetime
from uuid import UUID

USER_ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._@|:-]{0,127}"
_USER_ID = re.compile(USER_ID_PATTERN)


def parse_user_id(text: str) -> str:
    """Returns the text itself. Raises ValueError if it is not a user id."""
    if _USER_ID.fullmatch(text) is None:
        raise ValueError(
            "must be 1 to 128 of the characters A-Z a-z 0-9 . _ @ | : - and start with a letter or a digit"
        )
    return text


def first_id(at: datetime) -> UUID:
    """Returns a lower bound of every UUIDv7 that is made at this time or later."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def made_at(id: UUID) -> datetime:
    """Returns when a UUIDv7 was made, to the millisecond (RFC 9562, section 5.7)."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)

"""Texts from outside, which PostgreSQL cannot take as they are: JSON says U+0000, and has no limit."""

import hashlib

# PostgreSQL manual, "B-Tree Indexes": an index row holds at most 2704 bytes, and no key here has more than
# three columns of such texts.
KEY_BYTES_MAX = 800


def storable(value: str) -> str:
    """The text with U+0000 replaced: something for people to read."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def storable_key(value: str) -> str:
    """The text itself where an index can hold it, else its beginning and its hash: equal only for equals."""
    encoded = value.encode()
    if len(encoded) <= KEY_BYTES_MAX and 0 not in encoded:
        return value
    return f"{storable(value[:100])} sha256:{hashlib.sha256(encoded).hexdigest()}"

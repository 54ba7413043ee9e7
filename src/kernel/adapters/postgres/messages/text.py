"""Makes texts from outside storable: PostgreSQL refuses U+0000, and keys that are too long for an index."""

import hashlib

# An index row holds at most 2704 bytes (PostgreSQL manual, "B-Tree Indexes"), and no key has more than three
# such columns.
KEY_BYTES_MAX = 800


def storable(value: str) -> str:
    """The text with U+0000 replaced; for texts that only people read."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def storable_key(value: str) -> str:
    """The text itself if an index can hold it, else its beginning and its hash. It stays unique."""
    encoded = value.encode()
    if len(encoded) <= KEY_BYTES_MAX and 0 not in encoded:
        return value
    return f"{storable(value[:100])} sha256:{hashlib.sha256(encoded).hexdigest()}"

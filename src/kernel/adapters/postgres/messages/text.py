"""Makes text from outside storable. PostgreSQL refuses U+0000, and keys that are too long for an index."""

import hashlib

# An index row has at most 2704 bytes (PostgreSQL manual, "B-Tree Indexes"), a key at most 3 text columns.
KEY_BYTES_MAX = 800


def storable(value: str) -> str:
    """Replaces U+0000 by U+FFFD, in a text that only people read."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def storable_key(value: str) -> str:
    """Returns the text if an index can hold it, else its beginning and its SHA-256, which stay unique."""
    encoded = value.encode()
    if len(encoded) <= KEY_BYTES_MAX and 0 not in encoded:
        return value
    return f"{storable(value[:100])} sha256:{hashlib.sha256(encoded).hexdigest()}"

"""Reads that cost nothing while nothing has changed (RFC 9110, section 13)."""

import hashlib
import re
from typing import Annotated

import msgspec
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.headers import ETAG
from kernel.contracts.values import encode

IfNoneMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-None-Match",
        description="What ETag said: answered 304 as long as that is still so.",
        examples=[Example(value='"2f7a4c1be09d8356"')],
    ),
]

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def conditional(body: msgspec.Struct, if_none_match: str | None) -> JsonAnswer[bytes]:
    """The body under its ETag, or 304 for who has it. The tag is a hash, so equal only for equal bytes."""
    encoded = encode(body)
    tag = f'"{hashlib.blake2b(encoded, digest_size=8).hexdigest()}"'
    if if_none_match is not None and _matches(if_none_match, tag):
        return JsonAnswer(b"", status_code=304, headers={ETAG: tag})
    return JsonAnswer(encoded, headers={ETAG: tag})


def _matches(if_none_match: str, tag: str) -> bool:
    """By the weak comparison; what is no list of tags matches nothing."""
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)

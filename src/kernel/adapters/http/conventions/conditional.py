"""Conditional reads: the answer is 304 without a body while nothing has changed (RFC 9110, section 13)."""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated

import msgspec
from litestar import MediaType
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.headers import ETAG
from kernel.contracts.values import encode

IfNoneMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-None-Match",
        description="The ETag of an earlier answer. The answer is 304 while the ETag is still the same.",
        examples=[Example(value='"2f7a4c1be09d8356"')],
    ),
]

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def conditional(body: msgspec.Struct, if_none_match: str | None) -> JsonAnswer[bytes]:
    """An answer with the body and its ETag, a hash of the bytes; 304 if the client names this ETag."""
    return conditional_file(encode(body), MediaType.JSON, if_none_match, {})


def conditional_file(
    content: bytes, media_type: str, if_none_match: str | None, headers: Mapping[str, str]
) -> JsonAnswer[bytes]:
    """Like `conditional`, for the content of a file, and with further headers."""
    tag = f'"{hashlib.blake2b(content, digest_size=8).hexdigest()}"'
    tagged = {**headers, ETAG: tag}
    if _matches(if_none_match, tag):
        return JsonAnswer(b"", status_code=304, media_type=media_type, headers=tagged)
    return JsonAnswer(content, media_type=media_type, headers=tagged)


def _matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the header names the tag, by weak comparison. A header without valid tags matches nothing."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)

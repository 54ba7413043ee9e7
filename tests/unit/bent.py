"""Samples of what a decoder reads, bent out of shape: near enough to get past its first check."""

import os
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st

# FUZZ_EXAMPLES=10000 looks longer.
fuzzed = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES") or 100), deadline=None)

# Bytes that have confused decoders before, at any place.
WORDS = [
    b"\x00", b"\n", b"\r\n", b" ", b"\t", b"\x7f", b"\x85", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf",
    "é".encode(), "\u202e".encode(), "٣".encode(), "😀".encode(), b"\\ud800", b"\\u0000", b"\\", b"%00",
    *(bytes([one]) for one in b"\"',;=:.-/@[]{}<*~\x1f"),
    b"null", b"true", b"NaN", b"Infinity", b"1e400", b"-0", b"0", b"00", b"9" * 40, b"1" + b"0" * 4400,
    b"[" * 3000, b"{}", b"A" * 300,
]  # fmt: skip


@st.composite
def bent(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    text = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        text = text[:start] + draw(st.sampled_from([*WORDS, b"", text[start:end] * 2])) + text[end:]
    return text


def header(text: bytes) -> str:
    """The text of a header, as a server hands it on."""
    return text.decode("latin-1")

"""Reads the Markdown pages of the repository: their code blocks, links, headings and inline code."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced code block."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def tracked() -> tuple[str, ...]:
    """What git holds or would take."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return tuple(name for name in listed.split("\0") if name and (ROOT / name).is_file())


@cache
def pages() -> dict[str, str]:
    """The text of each page by its path."""
    return {name: (ROOT / name).read_text() for name in tracked() if name.endswith(".md")}


def blocks(page: str, *languages: str) -> list[Block]:
    text = pages()[page]
    found = [
        Block(page, text.count("\n", 0, match.start()) + 1, match[2].strip(), dedent(match[3]))
        for match in _FENCE.finditer(text)
    ]
    return [block for block in found if not languages or block.language in languages]


def prose(text: str) -> str:
    """The text without its code blocks, with as many lines."""
    return _FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)


def inline_code(text: str) -> Iterator[str]:
    return (" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(text)))


def links(text: str) -> Iterator[str]:
    """The targets of links and pictures, those in angle brackets included."""
    plain = re.sub(r"(?<!`)`[^`]+`(?!`)", "", prose(text))
    yield from re.findall(r"\]\(([^)\s]+)\)", plain)
    yield from re.findall(r"<(https?://[^>]+)>", plain)


def anchors(text: str) -> set[str]:
    """The fragments that GitHub gives to the headings of a page."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found

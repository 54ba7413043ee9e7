"""Reads a setting from its file again when the file changes, so that a new password needs no restart."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from kernel.adapters.words import in_words
from kernel.domain.errors import ShopError

T = TypeVar("T")

logger = logging.getLogger(__name__)


class FileText(str):
    """The content of a file when it was read, or a text made from the content; remembers the file."""

    name: str
    """The setting that names the file."""
    path: Path
    make: Callable[[str], str]

    @classmethod
    def read(cls, name: str, path: Path, make: Callable[[str], str] = str) -> "FileText":
        """Reads the file. Raises ValueError with one line, which does not quote secrets from the file."""
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ValueError(f"{name} names a file that cannot be read: {reason}") from error
        if not text:
            raise ValueError(f"{name} names a file that is empty")
        found = cls(make(text))
        found.name, found.path, found.make = name, path, make
        return found

    def again(self) -> "FileText":
        """Reads the same file again, and returns the new text. Raises ValueError like `read`."""
        return FileText.read(self.name, self.path, self.make)


def made_of(text: str, make: Callable[[str], str]) -> str:
    """Returns `make(text)`. If the text comes from a file, the result can be read again: `make` is then
    applied to the new text."""
    if not isinstance(text, FileText):
        return make(text)
    before = text.make
    found = FileText(make(text))
    found.name, found.path, found.make = text.name, text.path, lambda content: make(before(content))
    return found


class Reread(Generic[T]):
    """A parsed setting. If the setting comes from a file, it is parsed again when the file has changed."""

    def __init__(self, text: str, parse: Callable[[str], T]) -> None:
        """Raises the ValueError or ShopError of `parse`. Their messages must not quote the text."""
        self._text = text
        self._parse = parse
        self._value = parse(text)
        self._last_warning = ""

    def now(self) -> T:
        """The current value. A missing or wrong file is logged once, and the old value stays in use."""
        known = self._text
        if isinstance(known, FileText):
            try:
                found = known.again()
                if found != known:
                    self._value, self._text = self._parse(found), found
                    logger.info("%s was read again: it has changed", known.name)
                self._last_warning = ""
            except (ValueError, ShopError) as error:
                said = in_words(error).removeprefix(f"{known.name} ")
                if said != self._last_warning:
                    self._last_warning = said
                    logger.warning("%s: %s; its previous value stays in use", known.name, said)
        return self._value

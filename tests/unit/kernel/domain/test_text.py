"""Text from outside is shown on one line, and moves nothing on the screen."""

import unicodedata

import pytest

from kernel.domain.text import harmless

HOSTILE = {
    "\x1b[2Jgone": "\\x1b[2Jgone",
    "first\r\nsecond\n": "first\\r\\nsecond\\n",
    "\x9b31m": "\\x9b31m",
    "a\x00b\x7f": "a\\x00b\\x7f",
    "\u202egnp.exe": "\\u202egnp.exe",
    "\u2066left\u2069": "\\u2066left\\u2069",
    "one\u2028two\x85three": "one\\u2028two\\x85three",
    "zero\u200bwidth\ufeff": "zero\\u200bwidth\\ufeff",
    "half \ud83d": "half \\ud83d",
    "\U000e0041 tag": "\\U000e0041 tag",
}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_character_that_does_not_print_is_shown_as_its_escape(text: str) -> None:
    assert harmless(text) == HOSTILE[text]


@pytest.mark.parametrize("text", ["", "a book", "Заказ №1, ёлка", "C:\\temp [red] :heart:", "日本語 😀 é"])
def test_a_text_that_prints_is_left_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_no_character_at_all_can_move_the_cursor_or_turn_the_direction() -> None:
    every = "".join(map(chr, range(0x110000)))
    left = {unicodedata.category(one) for one in set(harmless(every))}
    assert left.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})

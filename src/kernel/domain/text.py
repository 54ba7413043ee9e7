"""Makes text from outside safe to print: it may move the cursor, hide a line or reverse its direction."""


def harmless(text: str) -> str:
    """The text on one line, with every character that does not print written as its escape, such as `\\x1b`.

    Those are control characters, line breaks, overrides of the direction of writing and halves of surrogate
    pairs (Unicode categories Cc, Cf, Cs, Zl, Zp and their like).
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)

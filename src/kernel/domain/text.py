"""Makes text from outside safe to print. Such text may move the cursor, or hide or reverse a line."""


def harmless(text: str) -> str:
    """Returns the text on one line. Each unprintable character is replaced by its escape, such as `\\x1b`.

    Unprintable are control characters, line breaks, overrides of the direction of writing and halves of
    surrogate pairs (Unicode categories Cc, Cf, Cs, Zl, Zp and their like).
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)

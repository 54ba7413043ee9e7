"""Describes an error of a server or library in one line for people."""

import os
import ssl


def in_words(error: BaseException) -> str:
    """One line, never empty. It quotes the server's message, with its SQLSTATE."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(map(in_words, error.exceptions)))
    # SQLAlchemy's text repeats the whole statement, so the driver's own error is used.
    origin = getattr(error, "orig", None)
    if isinstance(origin, BaseException):
        return in_words(origin.__cause__ or origin)
    if isinstance(error, ssl.SSLError) and (fault := tls_fault(error)):
        return fault
    if isinstance(error, OSError):
        return _of_the_system(error)
    sqlstate = getattr(error, "sqlstate", None)
    said = " ".join(str(error).split()) or type(error).__name__
    return f"{said} ({sqlstate})" if sqlstate else said


def tls_fault(error: ssl.SSLError) -> str | None:
    """Why TLS fails for good; None for an error that may pass by itself, such as a lost connection."""
    if refused := getattr(error, "verify_message", ""):
        return f"its certificate is refused: {refused}".rstrip(".")
    return "it speaks no TLS" if getattr(error, "reason", "") == "WRONG_VERSION_NUMBER" else None


def _of_the_system(error: OSError) -> str:
    if isinstance(error, TimeoutError) and not error.errno:
        return "no answer in time"
    kind = type(error).__module__
    if kind == "builtins" and isinstance(error.errno, int):
        # asyncio's text is only the address, which the log line names anyway.
        return f"{os.strerror(error.errno)}{f': {error.filename}' if error.filename else ''}"
    said = (error.strerror if kind in ("socket", "ssl") else None) or str(error)
    return " ".join(said.split()) or type(error).__name__

"""Describes an error of a server or of a library in one readable line."""

import os
import ssl


def in_words(error: BaseException) -> str:
    """Describes an error in one line for operators and logs. The line is never empty. It quotes the SQLSTATE
    and the server's message, which may hold a password."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(map(in_words, error.exceptions)))
    # SQLAlchemy's error repeats the whole statement, so the text is the driver's error.
    origin = getattr(error, "orig", None)
    if isinstance(origin, BaseException):
        return in_words(origin.__cause__ or origin)
    if isinstance(error, ssl.SSLError) and (fault := tls_fault(error)):
        return fault
    if isinstance(error, OSError):
        return _os_error_text(error)
    sqlstate = getattr(error, "sqlstate", None)
    said = " ".join(str(error).split()) or type(error).__name__
    return f"{said} ({sqlstate})" if sqlstate else said


def tls_fault(error: ssl.SSLError) -> str | None:
    """The lasting cause of a TLS error. None for an error that may be gone at the next try, such as a lost
    connection."""
    if refused := getattr(error, "verify_message", ""):
        return f"its certificate is refused: {refused}".rstrip(".")
    return "it speaks no TLS" if getattr(error, "reason", "") == "WRONG_VERSION_NUMBER" else None


def _os_error_text(error: OSError) -> str:
    if isinstance(error, TimeoutError) and not error.errno:
        return "no answer in time"
    module = type(error).__module__
    if module == "builtins" and isinstance(error.errno, int):
        # The text of asyncio's error is only the address, which the log line contains anyway.
        return f"{os.strerror(error.errno)}{f': {error.filename}' if error.filename else ''}"
    said = (error.strerror if module in ("socket", "ssl") else None) or str(error)
    return " ".join(said.split()) or type(error).__name__

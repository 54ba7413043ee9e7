"""Configures logging: readable lines on a terminal, else JSON."""

import logging
import re
import sys
import traceback
from collections.abc import Iterable
from typing import TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from kernel.adapters import request_id
from kernel.adapters.trace_context import CURRENT
from kernel.domain.text import harmless

# A URL with a password. The errors of drivers may quote such a URL.
_PASSWORD = re.compile(r"(?P<before>\w://[^\s:/@]*):[^\s/@]+@")


def configure_logs(level: str, log_format: str, packages: Iterable[str]) -> None:
    """`log_format` is auto, console or json. Logs go to stderr, because stdout is for the output of commands.

    The level applies to `packages`. Libraries log warnings and errors only.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        add_trace,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    terminal = sys.stderr.isatty()
    if log_format == "console" or (log_format == "auto" and terminal):
        show = structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=indented_traceback)
        last = [make_harmless, show]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, hide_passwords],
        )
    )
    own_level = logging.getLevelNamesMapping()[level]
    logging.basicConfig(level=max(own_level, logging.WARNING), handlers=[handler], force=True)
    for package in packages:
        logging.getLogger(package).setLevel(own_level)


def make_harmless(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escapes every string of a log event. structlog renders other values with `repr`, which escapes them."""
    return {name: harmless(value) if isinstance(value, str) else value for name, value in event.items()}


def indented_traceback(output: TextIO, error: ExcInfo) -> None:
    """Writes a traceback with indented lines, so that no line of an error's message looks like a log line."""
    for line in "".join(traceback.format_exception(*error)).rstrip("\n").split("\n"):
        output.write(f"\n    {harmless(line)}")


def add_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Adds `trace_id` and `request_id` of the current call to a log event. If the event has a `traceparent`,
    `trace_id` is taken from it."""
    traceparent = event.pop("traceparent", "") or CURRENT.get()
    if traceparent:
        event["trace_id"] = traceparent.split("-")[1]
    if own_id := request_id.CURRENT.get():
        event["request_id"] = own_id
    return event


def hide_passwords(_: WrappedLogger, __: str, line: EventDict | str) -> str:
    return _PASSWORD.sub(r"\g<before>:***@", str(line))

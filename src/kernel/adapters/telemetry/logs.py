"""Log lines: for people on a terminal, JSON for machines elsewhere."""

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from kernel.adapters import request_id
from kernel.adapters.trace_context import CURRENT

# A URL that names a password, as settings do and as drivers like to repeat in their errors.
_PASSWORD = re.compile(r"(?P<before>\w://[^\s:/@]*):[^\s/@]+@")


def configure_logs(level: str, log_format: str) -> None:
    """`log_format` is auto, console or json; everything goes to stderr, stdout is for facts."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        add_trace,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, hide_passwords],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("uvicorn", "alembic", "asyncio", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def add_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """`trace_id` in place of the traceparent of the line's own subject, else of the call under way, and the
    `request_id` of that call."""
    traceparent = event.pop("traceparent", "") or CURRENT.get()
    if traceparent:
        event["trace_id"] = traceparent.split("-")[1]
    if own_id := request_id.CURRENT.get():
        event["request_id"] = own_id
    return event


def hide_passwords(_: WrappedLogger, __: str, line: EventDict | str) -> str:
    return _PASSWORD.sub(r"\g<before>:***@", str(line))

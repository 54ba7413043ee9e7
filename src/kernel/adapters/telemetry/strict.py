"""Checks the OTEL_* variables, which OpenTelemetry's SDK reads. An unusable value prevents the start."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.domain.errors import ShopError

if TYPE_CHECKING:
    from kernel.adapters.telemetry.tracing import Tracing

_OURS = "OTEL_EXPORTER_OTLP_ENDPOINT"
_FILES = ("_CERTIFICATE", "_CLIENT_KEY")
# A longer number is an endless timeout, or a queue of spans larger than any memory.
_DIGITS_MAX = 9


class TelemetryRefused(ShopError):
    """OpenTelemetry cannot be used. `given` are the OTEL_* variables that may be the reason."""

    def __init__(self, given: Mapping[str, str], reason: object) -> None:
        text = str(reason)
        for name, value in given.items():
            if name.endswith("_HEADERS"):  # a header may hold a password
                for header in value.split(","):
                    text = text.replace(header.strip() or ",", "***")
        super().__init__("telemetry", f"OpenTelemetry cannot use {' or '.join(sorted(given))}: {text}")


def begin_tracing(service: str, collector_url: str) -> "Tracing | None":
    """Starts tracing. Returns None if the SDK is disabled, because its trace ids would be 0, an invalid id.

    Raises TelemetryRefused, even if the SDK would only warn, and use its default instead of a wrong value.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    given = {name: value for name, value in os.environ.items() if name.startswith("OTEL_") and name != _OURS}
    for name, value in given.items():
        if name.endswith(_FILES) and value and not Path(value).is_file():
            raise TelemetryRefused({name: value}, "there is no such file")
        if value.isdecimal() and len(value) > _DIGITS_MAX:
            raise TelemetryRefused({name: value}, "the number is too large")
    with _Complaints() as complaints:
        try:
            # Some values are read as soon as the SDK is imported.
            from kernel.adapters.telemetry.tracing import Tracing, otlp_exporter

            tracing = Tracing(service, otlp_exporter(collector_url))
        except Exception as error:
            raise TelemetryRefused(given, error) from error
    if complaints.lines:
        tracing.shut_down()
        raise TelemetryRefused(given, complaints.lines[0])
    return tracing


class _Complaints(logging.Handler):
    """Collects the warnings of the SDK instead of logging them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._logger = logging.getLogger("opentelemetry")

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def __enter__(self) -> "_Complaints":
        self._logger.addHandler(self)
        self._logger.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = True

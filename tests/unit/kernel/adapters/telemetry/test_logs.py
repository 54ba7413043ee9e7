"""Log lines: joined by trace and order, and without secrets."""

import json
import logging
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from kernel.adapters import request_id
from kernel.adapters.telemetry.logs import configure_logs
from kernel.adapters.trace_context import CURRENT
from tests.builders import TRACE, TRACE_ID

PACKAGES = ("kernel", "shop")

logger = logging.getLogger("shop.tests")


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.NOTSET)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    line: dict[str, object] = json.loads(capsys.readouterr().err)
    return line


def test_machines_get_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "json", PACKAGES)
    logger.warning("parked: %s", "invalid_data", extra={"order_id": "1", "traceparent": TRACE})
    line = said(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("parked: invalid_data", "warning", "shop.tests")
    assert (line["order_id"], line["trace_id"]) == ("1", TRACE_ID)
    assert "traceparent" not in line


@pytest.mark.parametrize(
    ("current", "value", "field", "written"),
    [(CURRENT, TRACE, "trace_id", TRACE_ID), (request_id.CURRENT, "call-1", "request_id", "call-1")],
    ids=["trace", "id"],
)
def test_a_line_of_a_call_under_way_has_its_trace_and_its_id(
    current: ContextVar[str], value: str, field: str, written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("INFO", "json", PACKAGES)
    token = current.set(value)
    logger.info("something")
    current.reset(token)
    assert said(capsys)[field] == written
    logger.info("something else")
    assert field not in said(capsys)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_line_tells_a_password(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", log_format, PACKAGES)
    url = "postgresql://shop:hunter2@db:5432/orders"
    try:
        raise ConnectionError(f"cannot reach {url}")
    except ConnectionError:
        logger.exception("no connection to %s", url, extra={"url": url})
    written = capsys.readouterr().err
    assert "hunter2" not in written
    assert "postgresql://shop:***@db:5432/orders" in written
    assert "ConnectionError" in written


def test_people_get_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "console", PACKAGES)
    logger.info("rabbitmq is back")
    assert "rabbitmq is back" in capsys.readouterr().err


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_line_erases_another_or_passes_for_one(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("INFO", log_format, PACKAGES)
    hostile = "\x1b[2K\x9b1A\u202e\n2026-11-29T00:00:00Z [info] all is well"
    try:
        raise ValueError(hostile)
    except ValueError:
        logger.exception("parked: %s", hostile, extra={"reason": hostile, "others": [hostile]})
    written = capsys.readouterr().err
    assert not {"\x1b", "\x9b", "\u202e"} & set(written)
    assert not any(line.startswith("2026-11-29T00:00:00Z [info]") for line in written.splitlines())
    assert "all is well" in written


def test_a_log_that_is_no_terminal_has_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "console", PACKAGES)
    logger.error("something", extra={"order_id": "1"})
    assert "\x1b" not in capsys.readouterr().err


def test_debug_is_about_the_shop_and_not_its_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("DEBUG", "json", PACKAGES)
    logger.debug("looked")
    for library in ("asyncio", "aiohttp.access", "sqlalchemy.engine", "opentelemetry.sdk", "anything"):
        logging.getLogger(library).info("insides")
        logging.getLogger(library).warning("trouble")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["looked", *["trouble"] * 5]


def test_at_error_neither_the_shop_nor_its_libraries_warn(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("ERROR", "json", PACKAGES)
    for name in ("kernel.adapters", "anything"):
        logging.getLogger(name).warning("trouble")
    assert capsys.readouterr().err == ""

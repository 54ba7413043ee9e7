"""Log lines: joined by trace and order, and without secrets."""

import json
import logging
from collections.abc import Iterator

import pytest

from kernel.adapters import request_id
from kernel.adapters.telemetry.logs import configure_logs
from kernel.adapters.trace_context import CURRENT

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACE = f"00-{TRACE_ID}-b7ad6b7169203331-01"

logger = logging.getLogger("shop.tests")


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    line: dict[str, object] = json.loads(capsys.readouterr().err)
    return line


def test_machines_get_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "json")
    logger.warning("parked: %s", "invalid_data", extra={"order_id": "1", "traceparent": TRACE})
    line = said(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("parked: invalid_data", "warning", "shop.tests")
    assert (line["order_id"], line["trace_id"]) == ("1", TRACE_ID)
    assert "traceparent" not in line


def test_a_line_of_a_call_under_way_has_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "json")
    token = CURRENT.set(TRACE)
    logger.info("something")
    CURRENT.reset(token)
    assert said(capsys)["trace_id"] == TRACE_ID
    logger.info("something else")
    assert "trace_id" not in said(capsys)


def test_a_line_of_a_call_under_way_has_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "json")
    token = request_id.CURRENT.set("call-1")
    logger.info("something")
    request_id.CURRENT.reset(token)
    assert said(capsys)["request_id"] == "call-1"
    logger.info("something else")
    assert "request_id" not in said(capsys)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_line_tells_a_password(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", log_format)
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
    configure_logs("INFO", "console")
    logger.info("rabbitmq is back")
    assert "rabbitmq is back" in capsys.readouterr().err

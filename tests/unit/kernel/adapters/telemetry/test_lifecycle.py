"""A service logs where it listens and what it works with, and no secret."""

import logging
import platform
from importlib.metadata import version

import pytest

from kernel.adapters.telemetry.lifecycle import Lifecycle, without_secrets

SECRET = "hunter2"
URLS = {
    f"postgresql://shop:{SECRET}@db:5432/orders?sslmode=require&password={SECRET}": "db:5432/orders",
    f"postgresql://shop:{SECRET}@db-1:5432,db-2/orders": "db-1:5432,db-2/orders",
    f"amqps://shop:{SECRET}@mq-1:5671/shop,amqps://shop:{SECRET}@mq-2/": "mq-1:5671/shop,mq-2",
    "http://[::1]:5001": "[::1]:5001",
    f"https://shop:{SECRET}@otlp.example/of/us#{SECRET}": "otlp.example/of/us",
}


@pytest.mark.parametrize("url", URLS)
def test_a_server_is_told_without_its_secrets(url: str) -> None:
    assert without_secrets(url) == URLS[url]


def test_a_lifecycle_is_three_lines(caplog: pytest.LogCaptureFixture) -> None:
    servers = {"database": f"postgresql://shop:{SECRET}@db/orders", "rabbitmq": None}
    lifecycle = Lifecycle("orders", servers, schema=3)
    with caplog.at_level(logging.INFO):
        lifecycle.listening("::1", 5001)
        lifecycle.stopping()
        lifecycle.stopped()
    assert [record.message for record in caplog.records] == ["listening", "stopping", "stopped"]
    listening = vars(caplog.records[0])
    names = ("service", "address", "version", "python", "database", "schema")
    expected = ("orders", "[::1]:5001", version("shop"), platform.python_version(), "db/orders", "0003")
    assert tuple(listening[name] for name in names) == expected
    assert "rabbitmq" not in listening
    assert all(vars(record)["service"] == "orders" for record in caplog.records)

"""A setting that lies in a file is read again, and a file that is wrong for a while does no harm."""

import logging
from pathlib import Path

import pytest

from kernel.adapters.postgres.connections.urls import database_hosts
from kernel.adapters.rabbit.urls import BrokerUrls
from kernel.adapters.reread import FileText, Reread
from kernel.environment import load_settings
from kernel.settings import required
from orders.settings import OrdersSettings

SECRET = "hunter2"


def in_file(path: Path, text: str) -> FileText:
    path.write_text(text)
    return FileText.read("ORDERS_DATABASE_URL_FILE", path)


def test_a_text_that_is_in_no_file_is_read_once() -> None:
    assert Reread("5", int).now() == 5


def test_the_current_text_of_the_file_counts_and_is_parsed_once(tmp_path: Path) -> None:
    seen: list[str] = []
    reread = Reread(in_file(tmp_path / "url", "1\n"), lambda text: seen.append(text) or int(text))
    (tmp_path / "url").write_text("2\n")
    assert [reread.now(), reread.now()] == [2, 2]
    assert seen == ["1", "2"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "names a file that cannot be read: No such file or directory"),
        (lambda path: path.write_text(""), "names a file that is empty"),
        (lambda path: path.write_bytes(b"\xff"), "names a file that cannot be read: it is not UTF-8 text"),
        (lambda path: path.write_text(f"mysql://u:{SECRET}@h"), "it does not begin with postgresql://"),
        (lambda path: path.write_text(f"postgresql://u:{SECRET}/@h/d"), "/ must be written as %2F"),
    ],
)
def test_a_file_that_is_wrong_is_told_once_and_what_it_held_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: object, said: str
) -> None:
    path = tmp_path / "url"
    reread = Reread(in_file(path, "postgresql://u:old@h/d"), database_hosts)
    with caplog.at_level(logging.WARNING):
        spoil(path)  # type: ignore[operator]
        assert [host.password for _ in range(3) for host in reread.now()] == ["old"] * 3
        (line,) = caplog.messages
        path.write_text("postgresql://u:new@h/d")
        assert reread.now()[0].password == "new"
        path.unlink()
        reread.now()
    assert line.startswith("ORDERS_DATABASE_URL_FILE: ")
    assert said in line
    assert SECRET not in line
    assert len(caplog.messages) == 2


def test_the_nodes_of_a_broker_may_all_be_others_afterwards(tmp_path: Path) -> None:
    urls = BrokerUrls([in_file(tmp_path / "url", "amqp://u:p@a,amqp://u:p@b")])
    (tmp_path / "url").write_text("amqp://u:q@c")
    assert [(url.host, url.password) for url in urls.now()] == [("c", "q")]


@pytest.mark.parametrize("text", ["http://u:hunter2@mq", "amqp://u:hunter2@mq:x"])
def test_a_malformed_url_of_a_broker_is_told_without_its_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    urls = BrokerUrls([in_file(tmp_path / "url", "amqp://u:p@a")])
    (tmp_path / "url").write_text(text)
    with caplog.at_level(logging.WARNING):
        assert urls.now()[0].host == "a"
    assert "expected amqp://" in caplog.text
    assert SECRET not in caplog.text


def test_a_setting_from_a_file_stays_one(tmp_path: Path) -> None:
    for name, field, text in (
        ("ORDERS_DATABASE_URL", "database_url", "postgresql://u:p@h/d"),
        ("RABBITMQ_URL", "rabbitmq_url", "amqp://u:p@h"),
    ):
        (tmp_path / name).write_text(text)
        settings = load_settings(OrdersSettings, {f"{name}_FILE": str(tmp_path / name)})
        found = required(settings, field)
        assert isinstance(found, FileText)
        assert (found, found.name) == (text, f"{name}_FILE")

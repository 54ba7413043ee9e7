"""The files of an embedded server: PostgreSQL's in `<directory>/cluster`, and the shop's beside it."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kernel.adapters.embedded.account import Account, reach
from kernel.adapters.embedded.child import run

OWNER = "shop"
SERVICE = "service"
"""This role has no rights until `shop migrate` gives it some."""
_PASSWORDS = {OWNER: "password", SERVICE: "service-password"}
_STAGING = "new-"
_BLANK_FOR_S = 1.0


@dataclass(frozen=True)
class PidFile:
    """The content of postmaster.pid, which a running server writes."""

    pid: int
    port: int
    is_ready: bool


def create_cluster(directory: Path, database: str, binaries: Path, account: Account) -> None:
    """Creates `<directory>/cluster` and the files of its passwords. If this folder exists, it is complete.

    The cluster is created in another folder, which is renamed at the end. After a kill half-way,
    `remove_unfinished` removes that other folder.
    """
    staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=directory))
    password, service_password = secrets.token_hex(16), secrets.token_hex(16)
    _write_private(staging / "password", password)
    account.own(staging / "password")
    account.own(staging)
    with reach(staging, account) as folder:
        data = f"{folder.path}/cluster"
        initdb: list[str | Path] = [binaries / "initdb", "-D", data, "-U", OWNER, "-E", "UTF8", "--locale=C"]
        initdb += ["--auth=scram-sha-256", f"--pwfile={folder.path}/password", "--no-instructions"]
        run(initdb, account, fds=folder.fds, named=True)
        statements = f'CREATE DATABASE "{database}"\n{_service_role(service_password)}'
        _run_single_user(data, statements, binaries, account, folder.fds)
    _write_private(directory / _PASSWORDS[OWNER], password)
    _write_private(directory / _PASSWORDS[SERVICE], service_password)
    (staging / "cluster").rename(directory / "cluster")
    _sync_folder(directory)
    shutil.rmtree(staging)


def has_service_role(directory: Path) -> bool:
    """Whether the cluster has the service's role. A cluster of an earlier version of the shop has none."""
    return (directory / _PASSWORDS[SERVICE]).exists()


def add_service_role(directory: Path, binaries: Path, account: Account) -> None:
    """Adds the service's role while no server runs on the cluster. Can be repeated after a kill half-way."""
    password = secrets.token_hex(16)
    with reach(directory / "cluster", account) as folder:
        _run_single_user(folder.path, _service_role(password), binaries, account, folder.fds)
    unfinished = directory / f"{_STAGING}password"
    _write_private(unfinished, password)
    unfinished.rename(directory / _PASSWORDS[SERVICE])
    _sync_folder(directory)


def _service_role(password: str) -> str:
    """SQL that creates the service's role. A server in single-user mode reads one statement per line."""
    known = f"SELECT FROM pg_roles WHERE rolname = '{SERVICE}'"
    return (
        f"DO $$ BEGIN IF NOT EXISTS ({known}) THEN CREATE ROLE {SERVICE}; END IF; END $$\n"
        f"ALTER ROLE {SERVICE} LOGIN PASSWORD '{password}'\n"
    )


def _run_single_user(
    data: str, statements: str, binaries: Path, account: Account, fds: Sequence[int]
) -> None:
    alone: list[str | Path] = [binaries / "postgres", "--single", "-D", data]
    alone += ["-c", "exit_on_error=on", "postgres"]
    run(alone, account, stdin=statements, fds=fds, named=True)


def remove_unfinished(directory: Path) -> None:
    (directory / f"{_STAGING}password").unlink(missing_ok=True)
    for unfinished in directory.glob(f"{_STAGING}*"):
        shutil.rmtree(unfinished, ignore_errors=True)


def server_url(directory: Path, port: int, database: str, user: str) -> str:
    password = (directory / _PASSWORDS[user]).read_text()
    # Without `sslmode` the driver follows PGSSLMODE, but an embedded server has no certificate.
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}?sslmode=disable"


def read_pid_file(cluster: Path) -> PidFile | None:
    """Reads postmaster.pid. Returns None if the file does not exist, or is not yet complete."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        # A server in single-user mode writes its pid as a negative number.
        return PidFile(abs(int(lines[0])), int(lines[3]), len(lines) >= 8 and lines[7].strip() == "ready")
    except (FileNotFoundError, IndexError, ValueError):
        return None


def living_server(cluster: Path) -> PidFile | None:
    """The server that runs on `cluster`. None if there is none, even if another program has its old pid."""
    found = read_pid_file(cluster)
    return found if found is not None and _runs_on(found.pid, cluster) else None


def neutralise_stale_pid_file(cluster: Path) -> None:
    """Lets PostgreSQL start even if the pid of a dead server is now the pid of another program.

    The pid in postmaster.pid is replaced by the pid of this process. A postmaster treats a file with its
    parent's pid as stale, and checks for backends that outlived the dead server. Without a file it would not
    check. A blank file is from a crash or from a starting server, so it is removed only if it is old.
    """
    path = cluster / "postmaster.pid"
    try:
        _, *rest = path.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return
    except ValueError:
        if time.time() - path.stat().st_mtime > _BLANK_FOR_S:
            path.unlink()
        return
    with open(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "w") as file:
        file.writelines([f"{os.getpid()}\n", *rest])


def _runs_on(pid: int, cluster: Path) -> bool:
    """Whether the process is a postmaster of `cluster`: its working directory is the cluster. A process that
    may not be inspected does not count. Without /proc, any process with the name `postgres` counts."""
    if Path("/proc/self/cwd").exists():
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", cluster)
        except OSError:
            return False
    listed = subprocess.run(
        ["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in listed.stdout


def _write_private(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""Runs PgBouncer, if it is installed."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from kernel.adapters.embedded.account import Account
from kernel.adapters.embedded.child import spawn
from tests.servers.children import listens, wait_until
from tests.servers.ports import free_port

WAIT_S = 10.0


def installed() -> str | None:
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def pooler(directory: Path, url: str, **settings: str) -> Iterator[str]:
    """Runs a PgBouncer with these settings. Yields the database's URL through it."""
    far, port = urlsplit(url), free_port()
    account = Account.able_to_run(directory)
    options = {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "auth_type": "any",
        "unix_socket_dir": "",
        "logfile": str(directory / "pgbouncer.log"),
        **settings,
    }
    server = f"* = host=127.0.0.1 port={far.port} user={far.username} password={far.password}"
    lines = ["[databases]", server, "[pgbouncer]", *(f"{name} = {value}" for name, value in options.items())]
    directory.mkdir(parents=True)
    (file := directory / "pgbouncer.ini").write_text("\n".join(lines))
    account.own(directory)
    account.own(file)
    program = installed()
    assert program is not None
    with (directory / "output.log").open("wb") as output:
        child = spawn([program, "-q", str(file)], account, output=output, end_signal=signal.SIGINT)
    try:
        wait_until(lambda: listens(port), child, WAIT_S, "PgBouncer")
        yield far._replace(netloc=f"{far.username}@127.0.0.1:{port}").geturl()
    finally:
        child.terminate()
        child.wait(WAIT_S)

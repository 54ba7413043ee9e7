"""The system user that runs PostgreSQL, and how it reaches folders whose parents only root may enter."""

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class EmbeddedPostgresError(Exception):
    """Says in one line for an operator why the embedded PostgreSQL cannot be used."""


@dataclass(frozen=True)
class Account:
    """The user that runs PostgreSQL. Without ids it is the user of this process."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def able_to_run(cls, cluster: Path) -> "Account":
        """PostgreSQL refuses to run as root, so for root this is the owner of the cluster, else `postgres` or
        `nobody`."""
        if os.geteuid() != 0:
            return cls()
        if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
            return cls(owner.st_uid, owner.st_gid)
        for name in ("postgres", "nobody"):
            try:
                user = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(user.pw_uid, user.pw_gid)
        raise EmbeddedPostgresError("PostgreSQL refuses to run as root: add a user named postgres or nobody")

    @property
    def is_other(self) -> bool:
        return self.uid is not None

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True)
class Folder:
    """A folder as a child process names it. `path` is valid while the child keeps the descriptors `fds`."""

    path: str
    fds: tuple[int, ...] = ()


@contextmanager
def reach(folder: Path, account: Account) -> Iterator[Folder]:
    """Name `folder` so that `account` needs no permission on its parents, which perhaps only root may enter.

    The child inherits an open descriptor of the folder. Linux follows /proc/self/fd without a check of the
    parents.
    """
    if not (sys.platform.startswith("linux") and account.is_other):
        yield Folder(str(folder.absolute()))
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Folder(f"/proc/self/fd/{fd}", (fd,))
    finally:
        os.close(fd)

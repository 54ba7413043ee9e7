"""The system user that runs PostgreSQL, and its access to folders whose parents only root may enter."""

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used. The message is one line for operators."""


@dataclass(frozen=True)
class Account:
    """The system user that runs PostgreSQL. Without ids, the user of this process runs it."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def able_to_run(cls, cluster: Path) -> "Account":
        """The user of this process. PostgreSQL refuses to run as root, so if this process runs as root, it is
        the owner of the cluster, or else the user `postgres` or `nobody`."""
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
    """A path of a folder for a child process. The path is valid while the descriptors `fds` are open."""

    path: str
    fds: tuple[int, ...] = ()


@contextmanager
def reach(folder: Path, account: Account) -> Iterator[Folder]:
    """Yields a path of `folder` for a child that may not enter the folder's parents, because it is not root.

    The child inherits an open descriptor of the folder. Linux follows the path /proc/self/fd/… without
    checking the permissions of the parents.
    """
    if not (sys.platform.startswith("linux") and account.is_other):
        yield Folder(str(folder.absolute()))
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Folder(f"/proc/self/fd/{fd}", (fd,))
    finally:
        os.close(fd)

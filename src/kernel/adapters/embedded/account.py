"""Who runs PostgreSQL, and how that user reaches folders below one that is root's alone."""

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class EmbeddedPostgresError(Exception):
    """Why the embedded PostgreSQL cannot be used, in one line for an operator."""


@dataclass(frozen=True)
class Account:
    """The user that runs PostgreSQL; without ids it is the one that runs us."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def able_to_run(cls, cluster: Path) -> "Account":
        """PostgreSQL refuses root, so root steps down to whom the cluster belongs or may belong."""
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
    """A folder as a child names it: `path` holds as long as the child keeps the descriptors `fds`."""

    path: str
    fds: tuple[int, ...] = ()


@contextmanager
def reach(folder: Path, account: Account) -> Iterator[Folder]:
    """Name `folder` so that `account` needs no right on its parents, which may be root's alone.

    The child inherits the folder as an open descriptor, and Linux follows
    /proc/self/fd without looking at the parents.
    """
    if not (sys.platform.startswith("linux") and account.is_other):
        yield Folder(str(folder.absolute()))
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Folder(f"/proc/self/fd/{fd}", (fd,))
    finally:
        os.close(fd)

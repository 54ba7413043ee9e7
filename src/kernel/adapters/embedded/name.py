"""Gives a child process a user name, which `initdb` needs. In containers, many user ids have no name."""

import ctypes
import os
import pwd
from pathlib import Path

from kernel.adapters.embedded.account import Account, EmbeddedPostgresError

_CLONE_NEWUSER = 0x10000000
_LIBC = ctypes.CDLL(None)


def name_to_take(account: Account) -> pwd.struct_passwd | None:
    """A user other than root whose name a child may take; None if `account` already has a name."""
    try:
        pwd.getpwuid(os.geteuid() if account.uid is None else account.uid)
    except KeyError:
        for user in pwd.getpwall():
            if user.pw_uid != 0:
                return user
        raise nameless() from None
    return None


def take_name(user: pwd.struct_passwd) -> None:
    """Moves this process to a new user namespace, in which it has the id of `user` (user_namespaces(7)).

    Outside the namespace, the process keeps its user id, files and rights. Raises OSError if the system
    forbids user namespaces.
    """
    uid, gid = os.geteuid(), os.getegid()
    if _LIBC.unshare(_CLONE_NEWUSER) != 0:
        raise PermissionError
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user.pw_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{user.pw_gid} {gid} 1")


def nameless() -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"the user id {os.geteuid()} has no name, which PostgreSQL's initdb asks for: add it to /etc/passwd,"
        " or set the …_DATABASE_URL of every service to a server of yours"
    )

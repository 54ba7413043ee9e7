"""Sets up the process of a shop: garbage collection and the limit of open files."""

import gc
import resource
from contextlib import suppress

YOUNG_OBJECTS_MAX = 50_000


def collect_garbage_rarely() -> None:
    """Makes garbage collections rare. Reference counting frees nearly all objects, so the 20 collections per
    batch would find nothing. Objects created by imports are frozen: they live as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX)


def allow_many_connections() -> None:
    """Raises the limit of open files, which is often 1024: every open stream is an open file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # A system may refuse the maximum that it names.
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
